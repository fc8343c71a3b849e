/* Runs a model over steps of inputs: standard input has the structure of inputs for each step, standard output takes that
 * of outputs, and in the end the block. */
#include <stdio.h>
#include <string.h>
#include MODEL_HEADER

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define INPUTS JOIN(MODEL, _inputs)
#define OUTPUTS JOIN(MODEL, _outputs)
#define MEMORY JOIN(MODEL, _memory)

/* Two models side by side: the second is a step behind, and must not be seen by the first. */
static MEMORY memory[2];

int main(void) {
    static INPUTS inputs;
    static OUTPUTS outputs, other;
    static MEMORY fresh;
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
    memcpy(&fresh, &memory[0], sizeof fresh);
    while (fread(&inputs, sizeof inputs, 1, stdin) == 1) {
        JOIN(MODEL, _step)(model, &inputs, &outputs);
        fwrite(&outputs, sizeof outputs, 1, stdout);
        JOIN(MODEL, _step)(second, &inputs, &other);
        if (memcmp(&outputs, &other, sizeof outputs)) {
            fputs("two models differ\n", stderr);
            return 1;
        }
    }
    fwrite(&memory[0], sizeof memory[0], 1, stdout);
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
