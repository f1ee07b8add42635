/* Into another root, or as far as the kernel allows, as in lesson m2_2_chroot_permissions. */
#define _DEFAULT_SOURCE /* chroot(2) is no part of POSIX */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* 1: "/" is now root. 0: only the working directory is. -1: neither, and errno says why. */
static int enter(const char *root)
{
    if (chdir(root) == -1)
        return -1;
    if (chroot(".") == -1) {                 /* the path is good, so this is about privilege */
        if (errno != EPERM)
            return -1;
        fprintf(stderr, "chroot failed (need root). Running with chdir only.\n");
        return 0;                            /* no chdir("/") now: it would leave the folder */
    }
    return chdir("/") == -1 ? -1 : 1;
}

/* The lookup comes before the privilege: these two fail alike for everybody. */
static int refused_by_lookup(void)
{
    int missing = chroot("/no/such/folder") == -1 && errno == ENOENT;
    int file = chroot("/dev/null") == -1 && errno == ENOTDIR;
    return missing && file;
}

/* What getcwd says, seen from whichever root we ended up with. */
static int stands_in(const char *path)
{
    char here[4096];
    return getcwd(here, sizeof here) != NULL && strcmp(here, path) == 0;
}

static int child(const char *root)
{
    int entered = enter(root);
    if (entered == -1)
        return 1;
    printf("%s\n", entered ? "/ is the folder" : "only the working directory is the folder");
    fflush(stdout);                          /* _exit empties no buffer */
    return stands_in(entered ? "/" : root) ? 0 : 1;
}

int main(void)
{
    char folder[] = "/tmp/m2_2-XXXXXX";
    if (!refused_by_lookup() || mkdtemp(folder) == NULL)
        return 1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(child(folder));                /* the parent keeps its root, and can clean up */
    int status;
    if (pid == -1 || waitpid(pid, &status, 0) == -1)
        return 1;
    rmdir(folder);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
