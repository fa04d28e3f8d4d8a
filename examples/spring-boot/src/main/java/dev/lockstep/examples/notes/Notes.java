package dev.lockstep.examples.notes;

import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;
import org.springframework.transaction.annotation.Transactional;

/** The notes in the database. Nothing here knows whether this is a primary or a replica. */
@Repository
class Notes {

    private final JdbcClient jdbc;

    Notes(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** On a replica, this transaction runs on the primary. */
    @Transactional
    Note add(String text) {
        return jdbc.sql("INSERT INTO note (text) VALUES (?) RETURNING id, text, created")
                .param(text)
                .query(Note.class)
                .single();
    }

    /** On a replica, this reads the local file. */
    @Transactional(readOnly = true)
    List<Note> newest(int limit) {
        return jdbc.sql("SELECT id, text, created FROM note ORDER BY id DESC LIMIT ?")
                .param(limit)
                .query(Note.class)
                .list();
    }
}
