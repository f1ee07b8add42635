/* fork, execve, waitpid, and the sixteen bits, as in lesson m2_1b_exec_and_wait. */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    char *argv[] = {"sh", "-c", "exit 42", NULL}, *envp[] = {NULL};

    pid_t pid = fork();
    if (pid == 0) {
        execve("/bin/sh", argv, envp);
        _exit(errno == ENOENT ? 127 : 126);   /* only reached if execve failed */
    }
    int status;
    waitpid(pid, &status, 0);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

    printf("status %d, code %d\n", status, code);
    return code == 42 ? 0 : 1;
}
