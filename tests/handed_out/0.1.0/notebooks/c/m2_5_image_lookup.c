/* From a name to an open directory, as in lesson m2_5_image_lookup, and what a swap of the name does to it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An O_PATH descriptor of the image's root file system; -1 if there is no such image or no such directory. */
static int find_image(FILE *db, const char *name)
{
    char *line = NULL;
    size_t room = 0;
    int found = -1;
    rewind(db);
    while (found < 0 && getline(&line, &room, db) != -1) {
        line[strcspn(line, "\n")] = '\0';
        char *rootfs = strchr(line, '|');
        char *created = rootfs ? strchr(rootfs + 1, '|') : NULL;
        if (created == NULL || strchr(created + 1, '|') != NULL)
            continue;                        /* not three fields: no record, look on */
        *rootfs++ = *created++ = '\0';
        if (strcmp(line, name) == 0)         /* the whole field: strncmp would take a prefix */
            found = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    free(line);
    return found;
}

int main(void)
{
    char home[] = "/tmp/lookup-XXXXXX";
    if (mkdtemp(home) == NULL || chdir(home) != 0)
        return 2;
    mkdir("old", 0700);
    mkdir("demo", 0700);
    FILE *db = tmpfile();
    fputs("torn|old\ndemo-old|old|now\nDemo|old|now\ndemo|demo|now\n", db);

    int fd = find_image(db, "demo");
    struct stat before, after, held;
    stat("demo", &before);
    rename("demo", "away");                  /* somebody else, between lookup and entry */
    rename("old", "demo");
    stat("demo", &after);
    int right = fd >= 0 && fstat(fd, &held) == 0 && held.st_ino == before.st_ino && after.st_ino != before.st_ino;
    right = right && find_image(db, "dem") < 0;
    puts(right ? "the path names another directory now, the descriptor does not" : "this is not what open(2) says");
    fclose(db);
    rmdir("away");
    rmdir("demo");
    rmdir(home);
    return right ? 0 : 1;
}
