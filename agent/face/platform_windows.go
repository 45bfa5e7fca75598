package face

// library is the runtime's file beside the networks.
const library = "onnxruntime.dll"

// giveBack has nothing to do here.
func giveBack() {}
