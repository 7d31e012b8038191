/* A plugin for qemu-aarch64 that counts the instructions that a program executes.
 *
 * Each thread has a place of its own in the counts, so that none is lost where two run at once.
 * Debian ships no header for plugins: the declarations are those of QEMU's qemu-plugin.h, version 1.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define EXPORTED __attribute__((visibility("default")))
#define MOST_THREADS 256

typedef uint64_t plugin_id;
typedef struct block block;
typedef struct machine machine;

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, block *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(block *, void (*)(unsigned int, void *), int, void *);
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const block *);

EXPORTED int qemu_plugin_version = 1;

static struct {
    uint64_t instructions;
    char apart[56]; /* A cache line each. */
} counts[MOST_THREADS];

static void executed(unsigned int thread, void *instructions)
{
    counts[thread % MOST_THREADS].instructions += (uintptr_t)instructions;
}

static void translated(plugin_id id, block *code)
{
    void *instructions = (void *)(uintptr_t)qemu_plugin_tb_n_insns(code);
    qemu_plugin_register_vcpu_tb_exec_cb(code, executed, 0, instructions);
}

static void ended(plugin_id id, void *unused)
{
    uint64_t sum = 0;
    for (int thread = 0; thread < MOST_THREADS; thread++)
        sum += counts[thread].instructions;
    fprintf(stderr, "instructions %" PRIu64 "\n", sum);
}

EXPORTED int qemu_plugin_install(plugin_id id, const machine *about, int count, char **arguments)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
