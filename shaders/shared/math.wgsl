// Elementwise functions, twins of src/kernels/gate.rs.

const LOG2_E: f32 = 1.44269504088896340736;

/// 1 / (1 + e^-x). The exponent is held where exp is finite.
fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(clamp(-x, -87.0, 87.0)));
}

/// x · sigmoid(x).
fn silu(x: f32) -> f32 {
    return x * sigmoid(x);
}

/// ln(1 + e^x). For small e^-|x| the logarithm's argument would round to 1, so its series stands in.
fn softplus(x: f32) -> f32 {
    let e = exp(-min(abs(x), 87.0));
    let tail = select(log(1.0 + e), e * (1.0 - e * (0.5 - e * (1.0 / 3.0))), e < 0.02);
    return max(x, 0.0) + tail;
}
