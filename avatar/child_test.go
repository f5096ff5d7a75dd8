package avatar

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/avatar/internal/pictures"
	"github.com/watchparty/watchparty/avatar/probe"
)

// A process of its own, which this very program is when childTask is in its environment, has a memory of its own to
// measure.
const (
	childTask = "AVATAR_CHILD"
	taskGrow  = "grow"  // renders as many pictures as its argument says, of all kinds
	taskTime  = "time"  // renders a file some times, all sizes or those that its argument says
	taskPhoto = "photo" // writes a photo to a file: the parent stays small
)

// spent is what a child prints of itself.
type spent struct {
	CPU   time.Duration // for one picture
	Peak  int           // bytes
	Early int           // bytes, after a tenth of the pictures
	Late  int           // bytes, after all of them
}

func child(task string) int {
	args := os.Args[len(os.Args)-2:]
	var s spent
	var err error
	switch task {
	case taskPhoto:
		err = os.WriteFile(args[0], photo(args[1]), 0o600)
	case taskTime:
		s, err = timed(args[0], args[1])
	case taskGrow:
		var n int
		if n, err = strconv.Atoi(args[1]); err == nil {
			s, err = grown(n)
		}
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// inChild runs a task in the environment that a worker has.
func inChild(t testing.TB, task string, args ...string) (s spent) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env, _ = Environment(append(os.Environ(), childTask+"="+task))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	require.NoError(t, json.Unmarshal(out, &s))
	return s
}

// photo is a picture of 12 megapixels, as a phone makes them: waves with noise, since a solid one would flatter the
// decoder.
func photo(orientation string) []byte {
	m := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	noise := rand.New(rand.NewPCG(1, 2))
	wave := func(pix []uint8, stride int, period float64) {
		for i := range pix {
			x, y := float64(i%stride), float64(i/stride)
			pix[i] = uint8(120 + 80*math.Sin(x/period)*math.Cos(y/period) + 14*noise.Float64())
		}
	}
	wave(m.Y, m.YStride, 90)
	wave(m.Cb, m.CStride, 70)
	wave(m.Cr, m.CStride, 50)
	if orientation == "upright" {
		return pictures.JPEG(m)
	}
	return pictures.JPEG(m, pictures.Exif(binary.BigEndian, 6))
}

// timed renders a file.
func timed(file, sizes string) (spent, error) {
	const warm, times = 2, 5
	data, err := os.ReadFile(file)
	if err != nil {
		return spent{}, err
	}
	configureOnce()
	limits := probe.Limits{}.WithDefaults()
	wanted := map[string][]Size{"two": {Thumbnail, Medium}, "all": {Thumbnail, Medium, Plain, Large}}[sizes]
	var began time.Duration
	for i := range warm + times {
		if i == warm {
			began = cpu()
		}
		if _, err := probe.Check(data, limits); err != nil {
			return spent{}, err
		}
		if _, err := render(data, limits, wanted); err != nil {
			return spent{}, err
		}
	}
	return spent{CPU: (cpu() - began) / times, Peak: memory("VmHWM")}, nil
}

// cpu is the time that this process has had of processors.
func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// memory reads a line of what Linux says of this process's memory, in bytes.
func memory(name string) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
	kilobytes, err := strconv.Atoi(string(found[1]))
	if err != nil {
		panic(err)
	}
	return kilobytes << 10
}

// grown renders n pictures of all kinds, sound ones and others, one after the other: what two take together depends on
// which of them meet.
func grown(n int) (s spent, err error) {
	var all [][]byte
	for _, o := range oddities(context.Background()) {
		all = append(all, o.data)
	}
	large := pictures.Quadrants(1600, 1200)
	all = append(all, pictures.JPEG(large), pictures.PNG(large), pictures.JPEG(large, pictures.Exif(binary.BigEndian, 8)))
	r := New(1, probe.Limits{})
	render := func(from, to int) {
		for i := from; i < to; i++ {
			_, _ = r.Render(context.Background(), all[i%len(all)])
		}
	}
	// Without Go's own garbage, which comes and goes.
	settled := func() int {
		debug.FreeOSMemory()
		return memory("VmRSS")
	}
	render(0, n/2)
	s.Early = settled()
	render(n/2, n)
	s.Late, s.Peak = settled(), memory("VmHWM")
	return s, nil
}

var manyPictures = flag.Int("avatar.pictures", 150, "how many pictures TestMemoryStays renders")

// TestMemoryStays: after all pictures a process takes at most 1.3 times what it takes after half of them, when each
// kind has been rendered several times. With 5,000 it is part of make soak.
func TestMemoryStays(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a process's memory is read from /proc")
	}
	s := inChild(t, taskGrow, "", strconv.Itoa(*manyPictures))
	t.Logf("after %d pictures %d MB, after %d pictures %d MB, at most %d MB",
		*manyPictures/2, s.Early>>20, *manyPictures, s.Late>>20, s.Peak>>20)
	require.Less(t, float64(s.Late), 1.3*float64(s.Early))
}
