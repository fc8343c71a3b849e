/* Runs a model over steps of inputs: standard input has the structure of inputs for each step, standard output takes that
 * of outputs, and after every so many steps (BLOCK_EVERY) and in the end the block. A file, if one is given, is the state to
 * begin with. */
#include <stdio.h>
#include <string.h>
#include MODEL_HEADER

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define INPUTS JOIN(MODEL, _inputs)
#define OUTPUTS JOIN(MODEL, _outputs)
#define MEMORY JOIN(MODEL, _memory)

/* Steps during which a second model, which must not be seen by the first, is a step behind it. */
enum { SIDE_BY_SIDE = 100 };

static MEMORY memory[2];

static int patch(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t read = file ? fread(&memory[0], 1, sizeof memory[0], file) : 0;
    memcpy(&memory[1], &memory[0], read);
    return read == 0 || fclose(file) != 0;
}

static void write_block(MODEL *model) {
    JOIN(MODEL, _flush)(model);
    fwrite(&memory[0], sizeof memory[0], 1, stdout);
}

int main(int argc, char **argv) {
    static INPUTS inputs;
    static OUTPUTS outputs, other;
    if (JOIN(MODEL, _init)(NULL, sizeof memory[0]) || JOIN(MODEL, _init)(memory[0].bytes + 8, sizeof memory[0]) ||
        JOIN(MODEL, _init)(&memory[0], sizeof memory[0] - 1)) {
        fputs("wrong memory was accepted\n", stderr);
        return 1;
    }
    /* Memory need not be zero. */
    memset(memory, 0xff, sizeof memory);
    MODEL *model = JOIN(MODEL, _init)(&memory[0], sizeof memory[0]);
    MODEL *second = JOIN(MODEL, _init)(&memory[1], sizeof memory[1]);
    if (!model || !second) {
        fputs("memory was refused\n", stderr);
        return 1;
    }
    if (argc > 1) {
        if (patch(argv[1])) {
            fputs("the state cannot be read\n", stderr);
            return 1;
        }
        JOIN(MODEL, _patched)(model);
        JOIN(MODEL, _patched)(second);
    }
    int steps = 0;
    for (; fread(&inputs, sizeof inputs, 1, stdin) == 1; steps++) {
        if (steps > 0 && steps % BLOCK_EVERY == 0) {
            write_block(model);
        }
        JOIN(MODEL, _step)(model, &inputs, &outputs);
        fwrite(&outputs, sizeof outputs, 1, stdout);
        if (steps >= SIDE_BY_SIDE) {
            continue;
        }
        JOIN(MODEL, _step)(second, &inputs, &other);
        if (memcmp(&outputs, &other, sizeof outputs)) {
            fputs("two models differ\n", stderr);
            return 1;
        }
    }
    write_block(model);
    /* Back in the initial state, a model does what it did. */
    JOIN(MODEL, _reset)(second);
    JOIN(MODEL, _init)(&memory[0], sizeof memory[0]);
    memset(&inputs, 0, sizeof inputs);
    for (int step = 0; step < 20; step++) {
        JOIN(MODEL, _step)(model, &inputs, &outputs);
        JOIN(MODEL, _step)(second, &inputs, &other);
        if (memcmp(&outputs, &other, sizeof outputs)) {
            fputs("a model that was reset differs\n", stderr);
            return 1;
        }
    }
    return 0;
}
