package dev.lockstep.spring;

import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import java.time.Instant;

/** An entity as Hibernate maps it. */
@Entity
class Note {

    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private long id;

    private String text;
    private Instant created;

    /** For Hibernate. */
    protected Note() {
        this("", Instant.EPOCH);
    }

    Note(String text, Instant created) {
        this.text = text;
        this.created = created;
    }

    long id() {
        return id;
    }

    String text() {
        return text;
    }

    void setText(String value) {
        text = value;
    }

    Instant created() {
        return created;
    }
}
