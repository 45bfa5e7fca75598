//go:build linux && cgo && !nojp2

// Decodes JPEG 2000 with libopenjp2, each picture in a process of its own without
// files, sockets or new threads, and with little memory and time. Whatever happens
// there, a crash or a loop, the program sees an answer without an end.
//
// The process is this program, started again with a word in its environment. It
// turns into a decoder before Go begins, so it holds nothing of what the program
// knows, and a large program starts it as quickly as a small one; a fork would copy
// all page tables.

#define _GNU_SOURCE
#include "openjpeg_linux.h"

#include <openjpeg.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if OPJ_VERSION_MAJOR != 2 || OPJ_VERSION_MINOR < 5
#error "written for libopenjp2 2.5; with another one, build with -tags nojp2"
#endif

// task is what the program asks for; it comes first on the standard input.
typedef struct {
	uint64_t count;         // of the picture's bytes, which follow
	uint64_t boxed;         // in the boxes of a JP2 file
	uint64_t part;          // a part of the picture will do
	uint64_t width, height; // that the header tells
	uint64_t room;          // that decoding may take, in bytes
	uint64_t seconds;       // that it may take
} task;

// memory is bytes that are read or written as a file.
typedef struct {
	uint8_t *bytes;
	size_t count, at;
} memory;

static OPJ_SIZE_T take(void *to, OPJ_SIZE_T n, void *user)
{
	memory *m = user;
	if (m->at >= m->count)
		return (OPJ_SIZE_T)-1;
	if (n > m->count - m->at)
		n = m->count - m->at;
	memcpy(to, m->bytes + m->at, n);
	m->at += n;
	return n;
}

static OPJ_SIZE_T give(void *from, OPJ_SIZE_T n, void *user)
{
	memory *m = user;
	if (n > m->count - m->at)
		return (OPJ_SIZE_T)-1;
	memcpy(m->bytes + m->at, from, n);
	m->at += n;
	return n;
}

static OPJ_OFF_T skip(OPJ_OFF_T n, void *user)
{
	memory *m = user;
	if (n < 0 || (uint64_t)n > m->count - m->at)
		return -1;
	m->at += (size_t)n;
	return n;
}

static OPJ_BOOL seek(OPJ_OFF_T to, void *user)
{
	memory *m = user;
	if (to < 0 || (uint64_t)to > m->count)
		return OPJ_FALSE;
	m->at = (size_t)to;
	return OPJ_TRUE;
}

static opj_stream_t *stream(memory *m, OPJ_BOOL reads)
{
	opj_stream_t *s = opj_stream_default_create(reads);
	if (!s)
		return NULL;
	opj_stream_set_read_function(s, take);
	opj_stream_set_write_function(s, give);
	opj_stream_set_skip_function(s, skip);
	opj_stream_set_seek_function(s, seek);
	opj_stream_set_user_data(s, m, NULL);
	opj_stream_set_user_data_length(s, m->count);
	return s;
}

// decode gives a picture whose size is as its header told, or NULL.
static opj_image_t *decode(uint8_t *bytes, const task *t, OPJ_BOOL strict)
{
	memory m = {bytes, t->count, 0};
	opj_image_t *image = NULL;
	opj_dparameters_t parameters;
	opj_stream_t *s = stream(&m, OPJ_TRUE);
	opj_codec_t *c = opj_create_decompress(t->boxed ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
	opj_set_default_decoder_parameters(&parameters);
	int good = s && c && opj_setup_decoder(c, &parameters) && opj_decoder_set_strict_mode(c, strict) &&
	           opj_read_header(s, c, &image) && image->x1 - image->x0 == t->width &&
	           image->y1 - image->y0 == t->height && opj_decode(c, s, image);
	opj_destroy_codec(c);
	opj_stream_destroy(s);
	if (good)
		return image;
	opj_image_destroy(image);
	return NULL;
}

static int get(void *to, size_t n)
{
	uint8_t *at = to;
	while (n > 0) {
		ssize_t done = read(STDIN_FILENO, at, n);
		if (done <= 0)
			return 0;
		at += done;
		n -= (size_t)done;
	}
	return 1;
}

static int put(const void *from, size_t n)
{
	const uint8_t *at = from;
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, at, n);
		if (done <= 0)
			return 0;
		at += done;
		n -= (size_t)done;
	}
	return 1;
}

// plane writes one component, a byte a sample.
static int plane(const opj_image_comp_t *c)
{
	uint32_t head[4] = {c->w, c->h, c->dx, c->dy};
	size_t count = (size_t)c->w * c->h;
	if (!c->data || c->prec < 1 || c->prec > 16 || !put(head, sizeof head))
		return 0;
	int most = (1 << c->prec) - 1, middle = c->sgnd ? 1 << (c->prec - 1) : 0;
	uint8_t bytes[1 << 14];
	for (size_t at = 0; at < count;) {
		size_t n = 0;
		for (; n < sizeof bytes && at < count; n++, at++) {
			int64_t v = (int64_t)c->data[at] + middle;
			v = v < 0 ? 0 : v > most ? most : v;
			bytes[n] = (uint8_t)(most == 255 ? v : (v * 255 + most / 2) / most);
		}
		if (!put(bytes, n))
			return 0;
	}
	return 1;
}

// colour tells what the components are, 0 for what no portrait has.
static char colour(const opj_image_t *image)
{
	int three = image->numcomps >= 3;
	switch (image->color_space) {
	case OPJ_CLRSPC_SYCC:
		return three ? 'Y' : 'G';
	case OPJ_CLRSPC_EYCC:
	case OPJ_CLRSPC_CMYK:
		return 0;
	default:
		if (three && image->color_space != OPJ_CLRSPC_GRAY)
			return image->comps[1].dx > image->comps[0].dx ? 'Y' : 'R';
		return 'G';
	}
}

// work answers on the standard output. Without the end mark nothing of it counts.
static void work(uint8_t *bytes, const task *t)
{
	char head[4] = {'H'};
	opj_image_t *image = decode(bytes, t, OPJ_TRUE);
	if (!image && t->part) {
		head[1] = 1;
		image = decode(bytes, t, OPJ_FALSE);
	}
	if (!image || image->numcomps < 1 || image->numcomps > 4 || !(head[2] = colour(image)))
		return;
	head[3] = (char)image->numcomps;
	int good = put(head, sizeof head);
	for (uint32_t i = 0; good && i < image->numcomps; i++)
		good = plane(&image->comps[i]);
	if (good)
		put("E", 1);
}

static int limit(int what, rlim_t most)
{
	struct rlimit l = {most, most};
	return setrlimit(what, &l) == 0;
}

// mapped is how much address space the process has, in bytes; 0 if it cannot tell.
static uint64_t mapped(void)
{
	char text[32] = "";
	int f = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (f < 0)
		return 0;
	ssize_t n = read(f, text, sizeof text - 1);
	close(f);
	return n > 0 ? strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

#define ALLOW(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

// narrow leaves the process the calls that memory, reading and writing take; any other
// fails. Where the kernel has no such filter the limits stand alone.
static void narrow(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifdef MACHINE
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_read), ALLOW(SYS_write), ALLOW(SYS_exit_group), ALLOW(SYS_exit), ALLOW(SYS_rt_sigreturn),
		ALLOW(SYS_brk), ALLOW(SYS_mmap), ALLOW(SYS_munmap), ALLOW(SYS_mremap),
		ALLOW(SYS_mprotect), ALLOW(SYS_madvise), ALLOW(SYS_futex), ALLOW(SYS_getrandom),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
#endif
}

// confine takes from the process what it does not need: no memory is dumped, which
// would hold personal data, and no file or socket can be opened any more. It reports
// whether all could be bounded.
static int confine(const task *t)
{
	uint64_t before = mapped();
	alarm((unsigned)t->seconds);
#ifdef SYS_close_range
	syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
#endif
	int good = before > 0 && limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, 0) && limit(RLIMIT_FSIZE, 0) &&
	           limit(RLIMIT_CPU, t->seconds) && limit(RLIMIT_AS, before + t->room);
	narrow();
	return good;
}

// decoder runs before Go does, and never gives way to it in a process that was
// started to decode.
__attribute__((constructor)) static void decoder(void)
{
	task t;
	if (!getenv("COUNTERPROOF_DECODES"))
		return;
	if (get(&t, sizeof t) && confine(&t)) {
		uint8_t *bytes = malloc(t.count);
		if (bytes && get(bytes, t.count))
			work(bytes, &t);
	}
	_exit(0);
}

// picture is what is to be encoded, in the library's form.
static opj_image_t *picture(const uint8_t *samples, uint32_t width, uint32_t height, int channels)
{
	opj_image_cmptparm_t parts[3];
	memset(parts, 0, sizeof parts);
	for (int i = 0; i < channels; i++)
		parts[i] = (opj_image_cmptparm_t){.dx = 1, .dy = 1, .w = width, .h = height, .prec = 8, .bpp = 8};
	opj_image_t *image = opj_image_create((uint32_t)channels, parts, channels == 3 ? OPJ_CLRSPC_SRGB : OPJ_CLRSPC_GRAY);
	if (!image)
		return NULL;
	image->x1 = width;
	image->y1 = height;
	for (size_t at = 0; at < (size_t)width * height; at++)
		for (int i = 0; i < channels; i++)
			image->comps[i].data[at] = *samples++;
	return image;
}

size_t jp2_encode(const uint8_t *samples, uint32_t width, uint32_t height, int channels,
                  int boxed, float rate, uint8_t *to, size_t most)
{
	memory m = {to, most, 0};
	opj_cparameters_t parameters;
	opj_set_default_encoder_parameters(&parameters);
	parameters.tcp_numlayers = 1;
	parameters.cp_disto_alloc = 1;
	parameters.tcp_rates[0] = rate;
	parameters.irreversible = rate > 1;
	parameters.tcp_mct = channels == 3;
	while (parameters.numresolution > 1 && (width < height ? width : height) >> (parameters.numresolution - 1) == 0)
		parameters.numresolution--;
	opj_image_t *image = picture(samples, width, height, channels);
	opj_stream_t *s = stream(&m, OPJ_FALSE);
	opj_codec_t *c = opj_create_compress(boxed ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
	int good = image && s && c && opj_setup_encoder(c, &parameters, image) && opj_start_compress(c, image, s) &&
	           opj_encode(c, s) && opj_end_compress(c, s);
	opj_destroy_codec(c);
	opj_stream_destroy(s);
	opj_image_destroy(image);
	return good ? m.at : 0;
}
