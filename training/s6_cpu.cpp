// The selective scan of Mamba (S6) on the CPU, forward and backward: twin of the Triton kernels in s6.py.
// x and dt [S,T,E], a [E,N], b and c [S,T,N], keep [S,chunks,E,N]: the state before every chunk.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

extern "C" void s6_forward(const float *x, const float *dt, const float *a, const float *b, const float *c, float *y,
                           float *keep, long S, long T, long E, long N, long chunk) {
    const long chunks = (T + chunk - 1) / chunk;
#pragma omp parallel for
    for (long s = 0; s < S; ++s) {
        std::vector<float> state(E * N, 0.f);
        float *h = state.data();
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
                    h[i] = std::exp(d * a[i]) * h[i] + u * bt[n];
                    sum += h[i] * ct[n];
                }
                y[row * E + e] = sum;
            }
        }
    }
}

extern "C" void s6_backward(const float *x, const float *dt, const float *a, const float *b, const float *c,
                            const float *keep, const float *dy, float *dx, float *ddt, float *da, float *db, float *dc,
                            long S, long T, long E, long N, long chunk) {
    const long chunks = (T + chunk - 1) / chunk, size = E * N;
#pragma omp parallel for
    for (long s = 0; s < S; ++s) {
        std::vector<float> states((chunk + 1) * size), decays(chunk * size), dh(size, 0.f);
        float *das = da + s * size;
        std::fill(das, das + size, 0.f);
        for (long q = chunks - 1; q >= 0; --q) {
            const long first = q * chunk, steps = std::min(chunk, T - first);
            std::memcpy(states.data(), keep + (s * chunks + q) * size, size * sizeof(float));
            for (long k = 0; k < steps; ++k) {
                const long row = s * T + first + k;
                const float *before = states.data() + k * size, *bt = b + row * N;
                float *after = states.data() + (k + 1) * size, *decay = decays.data() + k * size;
                for (long e = 0; e < E; ++e) {
                    const float d = dt[row * E + e], u = d * x[row * E + e];
                    for (long n = 0; n < N; ++n) {
                        const long i = e * N + n;
                        decay[i] = std::exp(d * a[i]);
                        after[i] = decay[i] * before[i] + u * bt[n];
                    }
                }
            }
            for (long k = steps - 1; k >= 0; --k) {
                const long row = s * T + first + k;
                const float *before = states.data() + k * size, *after = before + size;
                const float *decay = decays.data() + k * size, *bt = b + row * N, *ct = c + row * N;
                float *dbt = db + row * N, *dct = dc + row * N;
                std::fill(dbt, dbt + N, 0.f);
                std::fill(dct, dct + N, 0.f);
                for (long e = 0; e < E; ++e) {
                    const float d = dt[row * E + e], xt = x[row * E + e], g0 = dy[row * E + e];
                    float through = 0.f, kept = 0.f;
                    for (long n = 0; n < N; ++n) {
                        const long i = e * N + n;
                        dct[n] += after[i] * g0;
                        float g = dh[i] + g0 * ct[n];
                        through += g * bt[n];
                        dbt[n] += g * d * xt;
                        const float moved = g * before[i] * decay[i];
                        kept += moved * a[i];
                        das[i] += moved * d;
                        dh[i] = g * decay[i];
                    }
                    dx[row * E + e] = d * through;
                    ddt[row * E + e] = kept + through * xt;
                }
            }
        }
    }
}
