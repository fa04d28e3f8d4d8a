package dev.lockstep.examples.notes;

import dev.lockstep.jdbc.LockstepConnection;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.sql.Connection;
import java.sql.SQLDataException;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseCookie;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.servlet.HandlerInterceptor;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import org.springframework.web.util.WebUtils;

/**
 * Who has written reads that write everywhere: the answer to a write brings a cookie with the position of the write, and a request with that
 * cookie, on whatever replica, waits until the replica is there. Others wait for nothing.
 */
@Component
class ReadYourWrites implements HandlerInterceptor, WebMvcConfigurer {

    private static final Logger logger = LoggerFactory.getLogger(ReadYourWrites.class);
    private static final String COOKIE = "position";

    private final DataSource dataSource;

    ReadYourWrites(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @Override
    public void addInterceptors(InterceptorRegistry registry) {
        registry.addInterceptor(this).addPathPatterns("/notes/**");
    }

    @Override
    public boolean preHandle(HttpServletRequest request, HttpServletResponse response, Object handler)
            throws SQLException {
        Cookie cookie = WebUtils.getCookie(request, COOKIE);
        if (cookie != null) {
            await(cookie.getValue());
        }
        return true;
    }

    private void await(String token) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            connection.unwrap(LockstepConnection.class).awaitPosition(token);
        } catch (SQLDataException e) {
            logger.info("a position that is not of this database: {}", e.getMessage());
        } catch (SQLTimeoutException e) {
            throw new ResponseStatusException(HttpStatus.SERVICE_UNAVAILABLE, e.getMessage(), e);
        }
    }

    /** A cookie that stands for everything that was written here so far. */
    String cookie() throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            String token =
                    connection.unwrap(LockstepConnection.class).position().token();
            return ResponseCookie.from(COOKIE, token)
                    .path("/")
                    .httpOnly(true)
                    .sameSite("Lax")
                    .build()
                    .toString();
        }
    }
}
