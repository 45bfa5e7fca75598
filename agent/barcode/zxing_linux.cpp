//go:build linux && cgo && !nozxing

// Looks for symbols with zxing-cpp (1.4 of Debian 12, and 2.x).
//
// The library parses hostile bytes in C++, so it never runs in the program's own
// process: every look is a fork without files, without sockets and with little
// time. Whatever happens there, an exception, a crash or a loop, the program
// sees an answer without an end, and nothing else. Version 1.4 has known faults
// of that kind, and a sheet of finder patterns keeps it busy for minutes.

#include "zxing_linux.h"

#define ZX_USE_UTF8 1
#include <ZXing/ReadBarcode.h>
#if __has_include(<ZXing/Version.h>)
#include <ZXing/Version.h>
#else
#include <ZXing/ZXVersion.h>
#endif

#include <fcntl.h>
#include <signal.h>
#include <string>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if ZXING_VERSION_MAJOR < 1 || ZXING_VERSION_MAJOR > 2
#error "written for zxing-cpp 1.4 to 2.x; with another one, build with -tags nozxing"
#endif

namespace {

// The order is that of every in engine.go.
const ZXing::BarcodeFormat formats[] = {
	ZXing::BarcodeFormat::PDF417,  ZXing::BarcodeFormat::QRCode,
	ZXing::BarcodeFormat::DataMatrix, ZXing::BarcodeFormat::Aztec,
	ZXing::BarcodeFormat::Code128, ZXing::BarcodeFormat::Code39,
	ZXing::BarcodeFormat::EAN13,   ZXing::BarcodeFormat::EAN8,
};
const int known = sizeof formats / sizeof *formats;

#if ZXING_VERSION_MAJOR > 2 || (ZXING_VERSION_MAJOR == 2 && ZXING_VERSION_MINOR >= 2)
using Hints = ZXing::ReaderOptions;
#else
using Hints = ZXing::DecodeHints;
#endif

void limit(int what, rlim_t most)
{
	struct rlimit l = {most, most};
	setrlimit(what, &l);
}

// confine takes from the forked process what it does not need. Its signals are
// blocked when it begins, since Go's handlers must not run here.
void confine(int out, unsigned seconds)
{
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, nullptr);
	alarm(seconds);
#ifdef SYS_close_range
	if (out > 0)
		syscall(SYS_close_range, 0, out - 1, 0);
	syscall(SYS_close_range, out + 1, ~0U, 0);
#endif
	limit(RLIMIT_CORE, 0); // memory may hold personal data
	limit(RLIMIT_NOFILE, 0); // no file and no socket can be opened any more
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_CPU, seconds);
}

void put(std::string &to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to.push_back(char(v >> (8 * i)));
}

// record lays one symbol out as zxing_linux.go reads it.
void record(std::string &to, const ZXing::Result &r, uint8_t symbology)
{
	std::string text = r.text();
	const auto &bytes = r.bytes();
	to.push_back('S');
	to.push_back(char(symbology));
	to.push_back(char(r.hasECI()));
	for (auto p : r.position()) {
		put(to, uint32_t(p.x));
		put(to, uint32_t(p.y));
	}
	put(to, uint32_t(bytes.size()));
	put(to, uint32_t(text.size()));
	to.append(bytes.begin(), bytes.end());
	to.append(text);
}

Hints hints(uint32_t wanted, int most)
{
	Hints h;
	ZXing::BarcodeFormats among;
	for (int i = 0; i < known; i++)
		if (wanted >> i & 1)
			among |= formats[i];
	h.setFormats(among);
	h.setMaxNumberOfSymbols(uint8_t(most));
	h.setMinLineCount(4); // fewer lines of a linear symbol read what is not there
	// Bytes are Latin-1 unless the symbol says otherwise: no guessing.
	h.setCharacterSet("ISO8859_1");
#if ZXING_VERSION_MAJOR >= 2
	h.setTextMode(ZXing::TextMode::Plain);
#endif
	return h;
}

std::string answer(const ZXing::ImageView &view, uint32_t wanted, int most)
{
	std::string to;
	for (const auto &r : ZXing::ReadBarcodes(view, hints(wanted, most)))
		for (int i = 0; i < known; i++)
			if (r.isValid() && r.format() == formats[i])
				record(to, r, uint8_t(i));
	to.push_back('E');
	return to;
}

// work answers into the pipe. Without the end mark nothing of it counts.
void work(int out, const ZXing::ImageView &view, uint32_t wanted, int most)
{
	try {
		std::string all = answer(view, wanted, most);
		for (size_t done = 0; done < all.size();) {
			ssize_t n = write(out, all.data() + done, all.size() - done);
			if (n <= 0)
				return;
			done += size_t(n);
		}
	} catch (...) {
	}
}

} // namespace

int zxing_start(const uint8_t *pixels, int width, int height, int stride,
                uint32_t wanted, int most, unsigned seconds, pid_t *process)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	*process = fork();
	if (*process == 0) {
		confine(ends[1], seconds);
		work(ends[1], {pixels, width, height, ZXing::ImageFormat::Lum, stride}, wanted, most);
		_exit(0);
	}
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	close(ends[1]);
	if (*process < 0) {
		close(ends[0]);
		return -1;
	}
	return ends[0];
}
