/*
 * A stand-in for the kernel's dma-heap devices, to be preloaded.
 *
 * libcamera and picamera2 take frame buffers from /dev/dma_heap/..., which a kernel without such
 * heaps does not have. Here the heap is an empty memory file, an allocation from it is another
 * memory file of the asked size, and synchronising or naming a buffer succeeds without effect.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

typedef int (*open_function)(const char *, int, ...);
typedef int (*ioctl_function)(int, unsigned long, ...);

static int is_heap(const char *path)
{
    static const char folder[] = "/dev/dma_heap/";

    return strncmp(path, folder, sizeof folder - 1) == 0;
}

static int open_as(const char *symbol, const char *path, int flags, mode_t mode)
{
    if (is_heap(path))
        return memfd_create("dma-heap", MFD_CLOEXEC);
    return ((open_function)dlsym(RTLD_NEXT, symbol))(path, flags, mode);
}

#define DEFINE_OPEN(name)                                                                      \
    int name(const char *path, int flags, ...)                                                 \
    {                                                                                          \
        mode_t mode = 0;                                                                       \
        if (flags & (O_CREAT | __O_TMPFILE)) {                                                 \
            va_list rest;                                                                      \
            va_start(rest, flags);                                                             \
            mode = va_arg(rest, mode_t);                                                       \
            va_end(rest);                                                                      \
        }                                                                                      \
        return open_as(#name, path, flags, mode);                                              \
    }

DEFINE_OPEN(open)
DEFINE_OPEN(open64)

static int allocate(struct dma_heap_allocation_data *wanted)
{
    int memory = memfd_create("dma-buffer", MFD_CLOEXEC);

    if (memory < 0)
        return -1;
    if (ftruncate(memory, (off_t)wanted->len) < 0) {
        int reason = errno;
        close(memory);
        errno = reason;
        return -1;
    }
    wanted->fd = (unsigned int)memory;
    return 0;
}

int ioctl(int descriptor, unsigned long request, ...)
{
    va_list rest;
    void *argument;

    va_start(rest, request);
    argument = va_arg(rest, void *);
    va_end(rest);
    switch ((unsigned int)request) {
    case (unsigned int)DMA_HEAP_IOCTL_ALLOC:
        return allocate(argument);
    case (unsigned int)DMA_BUF_IOCTL_SYNC:
    case (unsigned int)DMA_BUF_SET_NAME_A:
    case (unsigned int)DMA_BUF_SET_NAME_B:
        return 0;
    default:
        return ((ioctl_function)dlsym(RTLD_NEXT, "ioctl"))(descriptor, request, argument);
    }
}
