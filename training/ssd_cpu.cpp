// The selective scan of Mamba-2 on the CPU, forward and backward: twin of the Triton kernels in ssd.py.
// x [S,T,H,P], dt [S,T,H], a [H], b and c [S,T,N], keep [S,H,chunks,P,N]: the state before every chunk.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

extern "C" void ssd_forward(const float *x, const float *dt, const float *a, const float *b, const float *c, float *y,
                            float *keep, long S, long T, long H, long P, long N, long chunk) {
    const long chunks = (T + chunk - 1) / chunk;
#pragma omp parallel for
    for (long s = 0; s < S; ++s) {
        std::vector<float> state(H * P * N, 0.f);
        for (long t = 0; t < T; ++t) {
            const long row = s * T + t;
            const float *bt = b + row * N, *ct = c + row * N;
            for (long h = 0; h < H; ++h) {
                float *hh = state.data() + h * P * N;
                if (t % chunk == 0)
                    std::memcpy(keep + ((s * H + h) * chunks + t / chunk) * P * N, hh, P * N * sizeof(float));
                const float d = dt[row * H + h], decay = std::exp(d * a[h]);
                const float *xt = x + (row * H + h) * P;
                float *yt = y + (row * H + h) * P;
                for (long p = 0; p < P; ++p) {
                    const float u = d * xt[p];
                    float sum = 0.f;
                    for (long n = 0; n < N; ++n) {
                        hh[p * N + n] = decay * hh[p * N + n] + u * bt[n];
                        sum += hh[p * N + n] * ct[n];
                    }
                    yt[p] = sum;
                }
            }
        }
    }
}

extern "C" void ssd_backward(const float *x, const float *dt, const float *a, const float *b, const float *c,
                             const float *keep, const float *dy, float *dx, float *ddt, float *da, float *db,
                             float *dc, long S, long T, long H, long P, long N, long chunk) {
    const long chunks = (T + chunk - 1) / chunk;
#pragma omp parallel for
    for (long s = 0; s < S; ++s) {
        std::vector<float> states((chunk + 1) * P * N), dh(P * N);
        for (long h = 0; h < H; ++h) {
            std::fill(dh.begin(), dh.end(), 0.f);
            float da_sum = 0.f;
            for (long q = chunks - 1; q >= 0; --q) {
                const long first = q * chunk, steps = std::min(chunk, T - first);
                std::memcpy(states.data(), keep + ((s * H + h) * chunks + q) * P * N, P * N * sizeof(float));
                for (long k = 0; k < steps; ++k) {
                    const long row = s * T + first + k;
                    const float d = dt[row * H + h], decay = std::exp(d * a[h]);
                    const float *before = states.data() + k * P * N, *bt = b + row * N, *xt = x + (row * H + h) * P;
                    float *after = states.data() + (k + 1) * P * N;
                    for (long p = 0; p < P; ++p)
                        for (long n = 0; n < N; ++n)
                            after[p * N + n] = decay * before[p * N + n] + d * xt[p] * bt[n];
                }
                for (long k = steps - 1; k >= 0; --k) {
                    const long row = s * T + first + k;
                    const float d = dt[row * H + h], decay = std::exp(d * a[h]);
                    const float *before = states.data() + k * P * N, *after = before + P * N;
                    const float *bt = b + row * N, *ct = c + row * N, *xt = x + (row * H + h) * P;
                    const float *dyt = dy + (row * H + h) * P;
                    float *dbt = db + (row * H + h) * N, *dct = dc + (row * H + h) * N;
                    std::fill(dbt, dbt + N, 0.f);
                    std::fill(dct, dct + N, 0.f);
                    float kept = 0.f, fed = 0.f;
                    for (long p = 0; p < P; ++p) {
                        float through = 0.f;
                        for (long n = 0; n < N; ++n) {
                            float &g = dh[p * N + n];
                            dct[n] += after[p * N + n] * dyt[p];
                            g += dyt[p] * ct[n];
                            through += g * bt[n];
                            dbt[n] += g * d * xt[p];
                            kept += g * before[p * N + n];
                            g *= decay;
                        }
                        dx[(row * H + h) * P + p] = d * through;
                        fed += through * xt[p];
                    }
                    kept *= decay;
                    ddt[row * H + h] = kept * a[h] + fed;
                    da_sum += kept * d;
                }
            }
            da[s * H + h] = da_sum;
        }
    }
}
