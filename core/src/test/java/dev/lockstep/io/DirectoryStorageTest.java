package dev.lockstep.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryStorageTest {

    @TempDir
    Path parent;

    @Test
    void makesTheDirectoryWithTheFirstFile() throws IOException {
        Storage storage = Storage.directory(parent.resolve("data/log"));
        assertThat(storage.list()).isEmpty();

        storage.create("b").close();
        storage.create("a").close();
        storage.syncDirectory();

        assertThat(storage.list()).containsExactly("a", "b");
        assertThatThrownBy(() -> storage.create("a")).isInstanceOf(FileAlreadyExistsException.class);
        storage.delete("a");
        assertThat(storage.list()).containsExactly("b");
        assertThatThrownBy(() -> storage.open("a")).isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void readsWhatWasWrittenAndStopsAtTheEnd() throws IOException {
        Storage storage = Storage.directory(parent);
        try (StoredFile file = storage.create("f")) {
            file.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 2);
            file.sync();
            ByteBuffer buf = ByteBuffer.allocate(10);

            assertThat(file.size()).isEqualTo(5);
            assertThat(file.read(buf, 1)).isEqualTo(4);
            assertThat(buf.flip()).isEqualTo(ByteBuffer.wrap(new byte[] {0, 1, 2, 3}));
            assertThat(file.read(buf.clear(), 5)).isZero();
            file.truncate(3);
            assertThat(file.size()).isEqualTo(3);
        }
    }

    @Test
    void anInterruptedThreadNeitherLosesItsDataNorClosesTheFile() throws IOException {
        try (StoredFile file = Storage.directory(parent).create("f")) {
            Thread.currentThread().interrupt();
            file.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 0);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            ByteBuffer buf = ByteBuffer.allocate(3);
            assertThat(file.read(buf, 0)).isEqualTo(3);
            file.sync();
            assertThat(file.size()).isEqualTo(3);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(buf.array()).containsExactly(1, 2, 3);
        }
    }

    @Test
    void aClosedFileStaysClosed() throws IOException {
        StoredFile file = Storage.directory(parent).create("f");
        file.close();
        file.close();

        assertThatThrownBy(file::size).isInstanceOf(IOException.class);
    }

    @Test
    void aFailureToSyncEitherOfTwoFilesIsTold() throws IOException {
        Storage storage = Storage.directory(parent);
        try (StoredFile open = storage.create("open")) {
            StoredFile closed = storage.create("closed");
            storage.sync(open, closed);
            closed.close();
            assertThatThrownBy(() -> storage.sync(open, closed)).isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> storage.sync(closed, open)).isInstanceOf(ClosedChannelException.class);
        }
    }
}
