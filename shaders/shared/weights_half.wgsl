// Weights in half precision: half the bytes to bring, and a sound that is no longer the CPU's. Sums stay as they are.
alias Weight = vec4<f16>;
