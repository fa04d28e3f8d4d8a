package dev.lockstep.examples.notes;

import java.sql.SQLException;
import java.util.List;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** {@code GET /notes} and {@code POST /notes}, whose body is the text. */
@RestController
@RequestMapping("/notes")
class NotesController {

    private static final int SHOWN = 100;

    private final Notes notes;
    private final ReadYourWrites positions;

    NotesController(Notes notes, ReadYourWrites positions) {
        this.notes = notes;
        this.positions = positions;
    }

    @GetMapping
    List<Note> newest() {
        return notes.newest(SHOWN);
    }

    @PostMapping
    ResponseEntity<Note> add(@RequestBody String text) throws SQLException {
        Note note = notes.add(text);
        return ResponseEntity.status(HttpStatus.CREATED)
                .header(HttpHeaders.SET_COOKIE, positions.cookie())
                .body(note);
    }

    /** The primary cannot be reached, and nothing was written; reading goes on. */
    @ExceptionHandler
    ResponseEntity<String> later(TransientDataAccessException e) {
        return ResponseEntity.status(HttpStatus.SERVICE_UNAVAILABLE).body(String.valueOf(e.getCause()));
    }
}
