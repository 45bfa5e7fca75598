package face

/*
#include <malloc.h>

static void give_back(void) {
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

// library is the runtime's file beside the networks.
const library = "libonnxruntime.so.1.30.0"

// giveBack returns memory that was freed to the system. Loading networks leaves
// a third of what it took in the C library's keeping.
func giveBack() { C.give_back() }
