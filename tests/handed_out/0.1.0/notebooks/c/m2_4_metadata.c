/* Temp file and rename, as in lesson m2_4_metadata: a reader beside the writer never sees half a table. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 60000, ROUNDS = 200 };

static void write_all(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t written = write(fd, text, left);
        if (written < 0)
            _exit(2);
        text += written;
        left -= written;
    }
}

static void replace(const char *text)
{
    int out = open("table.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    write_all(out, text);            /* write may write less than it was asked to */
    fsync(out);                      /* the content, before the name */
    close(out);
    rename("table.tmp", "table");    /* one step: a reader finds the old table or the new one */
    int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fsync(folder);                   /* the name is part of the folder (fsync(2)) */
    close(folder);
}

/* Whole means: as long as it should be, and of one kind from the first letter to the last. */
static int whole(void)
{
    static char seen[SIZE + 1];
    int fd = open("table", O_RDONLY | O_CLOEXEC);
    ssize_t length = 0, got;
    while ((got = read(fd, seen + length, sizeof seen - length)) > 0)
        length += got;
    close(fd);
    for (ssize_t at = 1; at < length; at++)
        if (seen[at] != seen[0])
            return 0;
    return length == SIZE;
}

int main(void)
{
    static char running[SIZE + 1], stopped[SIZE + 1];
    char folder[] = "/tmp/table-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 1;
    memset(running, 'r', SIZE);
    memset(stopped, 's', SIZE);
    replace(running);
    pid_t writer = fork();
    if (writer == 0)
        for (;;) {
            replace(stopped);
            replace(running);
        }
    int torn = 0;
    for (int round = 0; round < ROUNDS; round++, usleep(1000))
        torn += !whole();
    kill(writer, SIGKILL);           /* at whatever instant this is */
    waitpid(writer, NULL, 0);
    torn += !whole();
    printf("%d looks at the table, %d of them torn\n", ROUNDS + 1, torn);
    unlink("table");
    unlink("table.tmp");
    rmdir(folder);
    return torn;
}
