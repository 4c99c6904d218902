/* Threads, a fork, shared memory and signals: what compiled programs do. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int *count;

static void *work(void *unused) {
    atomic_fetch_add(count, 1);
    return unused;
}

int main(void) {
    pthread_t threads[32];
    int processes = 1, status;
    count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 32; i++)
        if (pthread_create(&threads[i], NULL, work, NULL))
            return 1;
    for (int i = 0; i < 32; i++)
        pthread_join(threads[i], NULL);
    pid_t child = fork();
    if (child == 0) {
        raise(SIGUSR1);
        _exit(1);
    }
    if (waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1)
        processes++;
    printf("%d threads, %d processes\n", atomic_load(count), processes);
    return 0;
}
