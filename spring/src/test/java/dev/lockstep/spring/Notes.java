package dev.lockstep.spring;

import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import java.time.Instant;
import org.springframework.orm.jpa.SharedEntityManagerCreator;
import org.springframework.transaction.annotation.Transactional;

/** A service as applications write it. */
class Notes {

    private final EntityManager entities;

    Notes(EntityManagerFactory factory) {
        entities = SharedEntityManagerCreator.createSharedEntityManager(factory);
    }

    @Transactional
    long add(String text, Instant created) {
        Note note = new Note(text, created);
        entities.persist(note);
        return note.id();
    }

    @Transactional
    void change(long id, String text) {
        entities.find(Note.class, id).setText(text);
    }

    @Transactional
    void addAndFail(String text) {
        entities.persist(new Note(text, Instant.EPOCH));
        entities.flush();
        throw new IllegalStateException("on purpose");
    }

    @Transactional(readOnly = true)
    Note find(long id) {
        return entities.find(Note.class, id);
    }

    @Transactional(readOnly = true)
    long count(String text) {
        return entities.createQuery("select count(n) from Note n where n.text = :text", Long.class)
                .setParameter("text", text)
                .getSingleResult();
    }
}
