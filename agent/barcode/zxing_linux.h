// The foreign decoder, as Go sees it: see zxing_linux.cpp.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

// zxing_start begins to look for symbols in a gray picture, in a process of its
// own. Bit n of wanted asks for symbology n of the table in zxing_linux.cpp.
// It returns the descriptor to read the answer from, which does not block, and
// the process, which the caller ends and waits for; or -1 with errno set.
int zxing_start(const uint8_t *pixels, int width, int height, int stride,
                uint32_t wanted, int most, unsigned seconds, pid_t *process);

#ifdef __cplusplus
}
#endif
