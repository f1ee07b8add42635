/* The contract of a child, as in lesson m2_1a_fork: it calls _exit and does nothing else. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        write(STDOUT_FILENO, "child\n", 6);
        _exit(7);                        /* never return into the parent's code */
    }
    int status;
    waitpid(pid, &status, 0);
    printf("parent: the child ended with code %d\n", WEXITSTATUS(status));
    return WEXITSTATUS(status) == 7 ? 0 : 1;
}
