// The selective scan of Mamba (S6) on the CPU, forward and backward: twin of the Triton kernels in s6.py.
// x and dt [S,T,E], a [E,N], b and c [S,T,N], keep [S,chunks,E,N]: the state before every chunk; start and end [S,E,N]: the
// state before and behind all. With `hold`, the input's gain is that of the zero-order hold, (exp(dt a) - 1) / a, else dt.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

// (exp(z) - 1) / z for z <= 0, by its series where the difference would lose digits.
static inline float hold_gain(float z, float decay) {
    const float series = 1.f + z * (0.5f + z * (1.f / 6 + z * (1.f / 24)));
    return z > -0.03f ? series : (decay - 1.f) / (z - 1e-20f);
}

template <bool HOLD>
static void forward(const float *x, const float *dt, const float *a, const float *b, const float *c, const float *start,
                    float *y, float *end, float *keep, long S, long T, long E, long N, long chunk) {
    const long chunks = (T + chunk - 1) / chunk;
#pragma omp parallel for
    for (long s = 0; s < S; ++s) {
        float *h = end + s * E * N;
        std::memcpy(h, start + s * E * N, E * N * sizeof(float));
        for (long t = 0; t < T; ++t) {
            if (t % chunk == 0)
                std::memcpy(keep + (s * chunks + t / chunk) * E * N, h, E * N * sizeof(float));
            const long row = s * T + t;
            const float *bt = b + row * N, *ct = c + row * N;
            for (long e = 0; e < E; ++e) {
                const float d = dt[row * E + e], u = d * x[row * E + e];
                float sum = 0.f;
                for (long n = 0; n < N; ++n) {
                    const long i = e * N + n;
                    const float decay = std::exp(d * a[i]);
                    h[i] = decay * h[i] + (HOLD ? u * hold_gain(d * a[i], decay) : u) * bt[n];
                    sum += h[i] * ct[n];
                }
                y[row * E + e] = sum;
            }
        }
    }
}

template <bool HOLD>
static void backward(const float *x, const float *dt, const float *a, const float *b, const float *c, const float *keep,
                     const float *dy, float *dx, float *ddt, float *da, float *db, float *dc, long S, long T, long E,
                     long N, long chunk) {
    const long chunks = (T + chunk - 1) / chunk, size = E * N;
#pragma omp parallel for
    for (long s = 0; s < S; ++s) {
        std::vector<float> states((chunk + 1) * size), decays(chunk * size), gains(chunk * size), dh(size, 0.f);
        float *das = da + s * size;
        std::fill(das, das + size, 0.f);
        for (long q = chunks - 1; q >= 0; --q) {
            const long first = q * chunk, steps = std::min(chunk, T - first);
            std::memcpy(states.data(), keep + (s * chunks + q) * size, size * sizeof(float));
            for (long k = 0; k < steps; ++k) {
                const long row = s * T + first + k;
                const float *before = states.data() + k * size, *bt = b + row * N;
                float *after = states.data() + (k + 1) * size, *decay = decays.data() + k * size, *gain = gains.data() + k * size;
                for (long e = 0; e < E; ++e) {
                    const float d = dt[row * E + e], u = d * x[row * E + e];
                    for (long n = 0; n < N; ++n) {
                        const long i = e * N + n;
                        decay[i] = std::exp(d * a[i]);
                        gain[i] = HOLD ? hold_gain(d * a[i], decay[i]) : 1.f;
                        after[i] = decay[i] * before[i] + u * gain[i] * bt[n];
                    }
                }
            }
            for (long k = steps - 1; k >= 0; --k) {
                const long row = s * T + first + k;
                const float *before = states.data() + k * size, *after = before + size;
                const float *decay = decays.data() + k * size, *gain = gains.data() + k * size, *bt = b + row * N, *ct = c + row * N;
                float *dbt = db + row * N, *dct = dc + row * N;
                std::fill(dbt, dbt + N, 0.f);
                std::fill(dct, dct + N, 0.f);
                for (long e = 0; e < E; ++e) {
                    const float d = dt[row * E + e], xt = x[row * E + e], g0 = dy[row * E + e];
                    float through = 0.f, kept = 0.f, held = 0.f;
                    for (long n = 0; n < N; ++n) {
                        const long i = e * N + n;
                        dct[n] += after[i] * g0;
                        float g = dh[i] + g0 * ct[n];
                        through += g * gain[i] * bt[n];
                        dbt[n] += g * gain[i] * d * xt;
                        const float moved = g * before[i] * decay[i];
                        kept += moved * a[i];
                        das[i] += moved * d;
                        if (HOLD) {
                            // d(d * gain) / dd = decay, and d(d * gain) / da = d (decay - gain) / a: by its series near 0.
                            const float z = d * a[i], slope = 0.5f + z * (1.f / 3 + z * (1.f / 8));
                            held += g * bt[n] * decay[i];
                            das[i] += g * bt[n] * xt * d * (z > -0.03f ? d * slope : (decay[i] - gain[i]) / a[i]);
                        }
                        dh[i] = g * decay[i];
                    }
                    dx[row * E + e] = d * through;
                    ddt[row * E + e] = kept + (HOLD ? held : through) * xt;
                }
            }
        }
    }
}

extern "C" void s6_forward(const float *x, const float *dt, const float *a, const float *b, const float *c,
                           const float *start, float *y, float *end, float *keep, long S, long T, long E, long N,
                           long chunk, long hold) {
    (hold ? forward<true> : forward<false>)(x, dt, a, b, c, start, y, end, keep, S, T, E, N, chunk);
}

extern "C" void s6_backward(const float *x, const float *dt, const float *a, const float *b, const float *c,
                            const float *keep, const float *dy, float *dx, float *ddt, float *da, float *db, float *dc,
                            long S, long T, long E, long N, long chunk, long hold) {
    (hold ? backward<true> : backward<false>)(x, dt, a, b, c, keep, dy, dx, ddt, da, db, dc, S, T, E, N, chunk);
}
