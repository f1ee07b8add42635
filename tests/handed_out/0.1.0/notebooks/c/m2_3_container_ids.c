/* Twenty processes take ten ids each under one lock, as in lesson m2_3_container_ids: no id comes twice. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 20, EACH = 10 };

static int highest(const char *path)
{
    FILE *table = fopen(path, "r");
    int id, most = 0;
    while (table && fscanf(table, "%d", &id) == 1)
        if (id > most)
            most = id;
    if (table)
        fclose(table);
    return most;
}

static void append(const char *path, int id)
{
    FILE *table = fopen(path, "a");
    fprintf(table, "%d\n", id);
    fclose(table);
}

static void take_id(void)
{
    int lock = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);   /* after fork: an open file of its own */
    flock(lock, LOCK_EX);            /* before reading */
    int id = highest("table") + 1;
    append("table", id);
    close(lock);                     /* the last descriptor gone: unlocked */
}

int main(void)
{
    char folder[] = "/tmp/ids-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 1;
    for (int worker = 0; worker < WORKERS; worker++)
        if (fork() == 0) {
            for (int round = 0; round < EACH; round++)
                take_id();
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    int most = highest("table");     /* as many as were taken: none came twice */
    printf("%d ids taken, the highest is c%d\n", WORKERS * EACH, most);
    unlink("table");
    unlink("lock");
    rmdir(folder);
    return most == WORKERS * EACH ? 0 : 1;
}
