package dev.lockstep.examples.notes;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Starts as a primary or as a replica, as the profile says. */
@SpringBootApplication(proxyBeanMethods = false)
public class NotesApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(NotesApplication.class, arguments);
    }
}
