package face

// library is the runtime's file beside the networks.
const library = "libonnxruntime.so.1.30.0"
