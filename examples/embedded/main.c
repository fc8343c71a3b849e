/* A brain of spiking neurons learns to balance a pole, without an operating system's help: the brain is an object that
 * `spark compile` made, all of its memory is in the variables below. The C library is needed for sine, cosine and printing.
 *
 *     spark compile cartpole.scfg -o build --input signal=16 --input mod_a=1 --input mod_b=1 --input mod_critic=1
 *     cc -O2 -Ibuild main.c build/cartpole.o -lm -o cartpole && ./cartpole
 *
 * It is what examples/cartpole does in Rust; docs/tutorials/cartpole.md explains it. */
#include "cartpole.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EPISODES = 32, PERIOD = 20, PAUSE = 60, TIME_LIMIT = 500 };

static const double TRACK_END = 2.4, FALLEN = 12 * 2 * 3.14159265358979323846 / 360;

static cartpole_memory memory;
static cartpole_inputs inputs;
static cartpole_outputs outputs;

/* Position and velocity of the cart, angle and angular velocity of the pole. */
typedef struct {
    double position, velocity, angle, turning;
} State;

typedef struct {
    int right;
    double danger;
} Perception;

/* A number between -0.05 and 0.05 (xorshift32). */
static double drawn(void) {
    static uint32_t word = 2463534242u;
    word ^= word << 13;
    word ^= word >> 17;
    word ^= word << 5;
    return word / 4294967296.0 * 0.1 - 0.05;
}

/* Pushes the cart for 20 ms. Gives 1 if the pole falls or the cart leaves the track. */
static int push(State *s, int right) {
    double sine = sin(s->angle), cosine = cos(s->angle);
    double pull = ((right ? 10.0 : -10.0) + 0.05 * s->turning * s->turning * sine) / 1.1;
    double turn = (9.8 * sine - cosine * pull) / (0.5 * (4.0 / 3.0 - 0.1 * cosine * cosine / 1.1));
    double speed_up = pull - 0.05 * turn * cosine / 1.1;
    s->position += 0.02 * s->velocity;
    s->velocity += 0.02 * speed_up;
    s->angle += 0.02 * s->turning;
    s->turning += 0.02 * turn;
    return fabs(s->position) > TRACK_END || fabs(s->angle) > FALLEN;
}

static float bounded(double x) {
    return (float)(x < -1 ? -1 : x > 1 ? 1 : x);
}

/* What the brain sees: the state on a scale from -1 to 1, sums and differences of any two of its numbers. */
static void show(const State *s) {
    const double scaled[4] = {s->position / TRACK_END, s->velocity / 3, s->angle / FALLEN, s->turning / 2.5};
    int n = 0;
    for (int i = 0; i < 4; i++) {
        inputs.signal[n++] = bounded(scaled[i]);
    }
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < i; j++) {
            inputs.signal[n++] = bounded((scaled[i] + scaled[j]) / 1.5);
            inputs.signal[n++] = bounded((scaled[i] - scaled[j]) / 1.5);
        }
    }
}

static Perception live(cartpole *brain, int steps) {
    for (int step = 0; step < steps; step++) {
        cartpole_step(brain, &inputs, &outputs);
    }
    return (Perception){outputs.activity[1] > outputs.activity[0], outputs.danger[0]};
}

/* The third factors: by how much the danger foreseen was wrong, for the pool that acted and for the critic. */
static void tell(const Perception *before, double danger) {
    double error = danger - before->danger;
    inputs.mod_a[0] = (float)(before->right ? 0.3 * error : -error);
    inputs.mod_b[0] = (float)(before->right ? -error : 0.3 * error);
    inputs.mod_critic[0] = (float)error;
}

static int play(cartpole *brain) {
    State state;
    state.position = drawn();
    state.velocity = drawn();
    state.angle = drawn();
    state.turning = drawn();
    Perception before = {0, 0};
    memset(&inputs, 0, sizeof inputs);
    for (int i = 0; i < (int)CARTPOLE_IN_SIGNAL_LENGTH; i++) {
        inputs.signal[i] = 100; /* out of range: no unit of the spiker answers */
    }
    live(brain, PAUSE);
    for (int length = 1;; length++) {
        show(&state);
        Perception now = live(brain, PERIOD);
        if (length > 1) {
            tell(&before, 0.95 * now.danger);
        }
        before = now;
        int fallen = push(&state, now.right);
        if (!fallen && length < TIME_LIMIT) {
            continue;
        }
        /* The consequences of the last two decisions are still to be told. */
        show(&state);
        live(brain, PERIOD);
        if (fallen) {
            tell(&now, 1);
            live(brain, PERIOD);
        }
        return length;
    }
}

int main(void) {
    cartpole *brain = cartpole_init(&memory, sizeof memory);
    if (!brain) {
        return 1;
    }
    printf("%s, compiled for %s\n", CARTPOLE_HASH, CARTPOLE_TARGET);
    for (int episode = 1; episode <= EPISODES; episode++) {
        printf("episode %2d: %3d steps\n", episode, play(brain));
    }
    return 0;
}
