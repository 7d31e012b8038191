/*
 * A wall clock that is set back and forth while a program runs, for that program alone.
 *
 * Preloaded, it adds to CLOCK_REALTIME the seconds that the file named by CLOCK_OFFSET holds;
 * monotonic clocks are left alone, as the kernel leaves them when somebody sets the time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long offset_s(void)
{
    char text[32];
    const char *path = getenv("CLOCK_OFFSET");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    if (length <= 0)
        return 0;
    text[length] = 0;
    return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static int (*real)(clockid_t, struct timespec *);
    int result;
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    result = real(clock, time);
    if (result == 0 && clock == CLOCK_REALTIME)
        time->tv_sec += offset_s();
    return result;
}
