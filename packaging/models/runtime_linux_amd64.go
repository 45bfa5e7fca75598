package main

// runtime is the package of the ONNX Runtime for this platform.
func runtime() []pack {
	return []pack{{
		client: pipWheel("manylinux_2_28_x86_64"), name: "onnxruntime", version: "1.30.0",
		hash: "fd54b314ea385bcecac69ab431f020ba503e3878dad4ebb645fec5a24b041242",
		why:  "the ONNX Runtime, which runs the networks",
		files: []file{
			copied("libonnxruntime.so.1.30.0", "onnxruntime/capi/libonnxruntime.so.1.30.0",
				"c902c70b3003c0e99fada202f37478c515ae9bba7944c2b2abd0017bae0c82ed", 28985152),
			copied("licences/onnxruntime", "onnxruntime/LICENSE",
				"2f07c72751aed99790b8a4869cf2311df85a860b22ded05fa22803587a48922c", 1073),
			copied("licences/onnxruntime-third-party", "onnxruntime/ThirdPartyNotices.txt",
				"143764b952fdb1a7c69ce653bfba74a7744d6a8a573bfb73e235fba356c83de3", 338088),
		},
	}}
}
