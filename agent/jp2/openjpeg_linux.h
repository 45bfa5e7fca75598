// The library, as Go sees it: see openjpeg_linux.c.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// jp2_encode writes rows of samples of a byte, channels (1 or 3) to a pixel, as a
// JPEG 2000 picture of about rate times fewer bytes; 1 loses nothing. It returns
// how many bytes it wrote to a buffer of a length, 0 if it failed.
size_t jp2_encode(const uint8_t *samples, uint32_t width, uint32_t height, int channels,
                  int boxed, float rate, uint8_t *to, size_t most);
