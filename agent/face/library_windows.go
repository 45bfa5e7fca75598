package face

// library is the runtime's file beside the networks.
const library = "onnxruntime.dll"
