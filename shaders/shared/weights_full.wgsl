// Weights as they are in the model.
alias Weight = vec4f;
