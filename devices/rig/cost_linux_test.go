package rig

import (
	"bytes"
	"context"
	"hash/fnv"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/sim/usbip"
)

// played is set for the process that plays the camera of TestFilmCost, so that what
// the camera costs is not counted as the counter's.
const played = "COUNTERPROOF_RIG_PLAYED"

// noisy is a picture as large as those of a camera that sees something.
func noisy(t *testing.T) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, width, height))
	src := rand.New(rand.NewPCG(1, 2))
	for i := range picture.Pix {
		picture.Pix[i] = byte(100 + src.IntN(40))
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 50}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// play is the camera's process: it is plugged in until nobody listens to it any more.
func play(t *testing.T) {
	picture := noisy(t)
	c := usbip.NewCamera(someone("FILMCOST"), usbip.CameraSpec{
		Width: width, Height: height, Every: time.Second / 30, Picture: func(int) []byte { return picture },
	})
	Attach(t, c.Device)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// TestFilmCost tells what thirty pictures a second cost that are handed on as they
// come. It runs alone.
func TestFilmCost(t *testing.T) {
	Enter(t)
	if os.Getenv(played) != "" {
		play(t)
		return
	}
	ctx, over := context.WithTimeout(t.Context(), time.Minute)
	defer over()
	camera := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestFilmCost$")
	camera.Env, camera.Stderr = append(os.Environ(), played+"=1"), os.Stderr
	plugged, err := camera.StdinPipe()
	if err == nil {
		err = camera.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = plugged.Close()
		_ = camera.Wait() // a camera that was left alone has nothing to say
	}()
	h := counter(t)
	state(t, h, "FILMCOST", devices.Ready)
	if _, err := film(ctx, h, 10); err != nil { // it has begun
		t.Fatal(err)
	}
	const pictures = 90
	before, began := busy(t), time.Now()
	got, err := film(ctx, h, pictures)
	took, cost := time.Since(began), busy(t)-before
	if err != nil || len(got) != pictures {
		t.Fatalf("%d pictures, %v", len(got), err)
	}
	t.Logf("%.1f pictures a second of %d bytes take %.3f of an emulated processor, which hashes %.0f MB/s by FNV",
		pictures/took.Seconds(), len(got[0]), cost.Seconds()/took.Seconds(), hashing(t))
	if share := cost.Seconds() / took.Seconds(); share > 1 {
		t.Errorf("handing pictures on takes %.2f of a processor", share)
	}
}

// hashing is how many megabytes this processor hashes in a second, with plain
// instructions: a measure of it. The computer around it does some 2,000.
func hashing(t *testing.T) float64 {
	t.Helper()
	b := make([]byte, 4<<20)
	before := busy(t)
	_, _ = fnv.New64a().Write(b) // it never fails
	return 4 / (busy(t) - before).Seconds()
}

// busy is how much of a processor this process has used.
func busy(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
