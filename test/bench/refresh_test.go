package bench

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/waveapi"
)

// BenchmarkRefresh reads all accounts over loopback from a sandbox in a process
// of its own: the first time, and again with the former snapshot still in use.
// Times are the best of all rounds, memory the worst; a peak is over what the
// process had before the refresh.
func BenchmarkRefresh(b *testing.B) {
	binary := build(b)
	for _, n := range []int{10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { refresh(b, startSandbox(b, binary, n), n) })
	}
}

func refresh(b *testing.B, o waveapi.Options, n int) {
	client, err := waveapi.New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	first, again := bestOf(), bestOf()
	var kept uint64
	for b.Loop() {
		d := reseller.NewDirectory(client, reseller.DirectoryOptions{
			MaxAge: time.Hour, Fold: i18n.Fold, Log: slog.New(slog.DiscardHandler),
		})
		refreshed := func() {
			if snapshot, err := d.Refresh(b.Context()); err != nil || snapshot.Len() != n {
				b.Fatalf("refresh: %v", err)
			}
		}
		debug.FreeOSMemory()
		empty := inHeap()
		first.round(refreshed)
		debug.FreeOSMemory()
		kept = max(kept, inHeap()-empty)
		again.round(refreshed)
		d.Close()
	}
	b.ReportMetric(0, "ns/op") // of both, with the collections between them: says nothing
	b.ReportMetric(float64(kept)/float64(n), "B/account")
	first.report(b, "first")
	again.report(b, "again")
}

// best is the quickest round and the largest growth of memory.
type best struct {
	wall, cpu time.Duration
	growth    uint64
}

func bestOf() best { return best{wall: time.Hour, cpu: time.Hour} }

func (t *best) round(f func()) {
	before, peak := resident(), watchMemory()
	start, cpu := time.Now(), used()
	f()
	t.wall, t.cpu = min(t.wall, time.Since(start)), min(t.cpu, used()-cpu)
	t.growth = max(t.growth, peak()-before)
}

func (t *best) report(b *testing.B, name string) {
	b.ReportMetric(float64(t.wall.Milliseconds()), name+"-ms")
	b.ReportMetric(float64(t.cpu.Milliseconds()), name+"-cpu-ms")
	b.ReportMetric(float64(t.growth)/1e6, name+"-peak-MB")
}

func build(b *testing.B) string {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "waveadmin")
	if out, err := exec.Command("go", "build", "-o", binary, "waveadmin/cmd/waveadmin").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// startSandbox runs a sandbox with n accounts until b ends and returns how to
// reach it.
func startSandbox(b *testing.B, binary string, n int) waveapi.Options {
	b.Helper()
	cmd := exec.Command(binary, "sandbox", "--listen", "127.0.0.1:0", "--latency", "0", "--rate", "0", "--accounts", strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // it was told to end
	})
	said := make(map[string]string)
	for lines := bufio.NewScanner(out); len(said) < 4 && lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ": "); ok {
			said[name] = value
		}
	}
	if said["base_url"] == "" || said["token_url"] == "" {
		b.Fatal(fmt.Errorf("the sandbox does not say where it listens: %q", said))
	}
	return waveapi.Options{
		BaseURL: said["base_url"], TokenURL: said["token_url"],
		ClientID: sandbox.DemoClientID, ClientSecret: sandbox.DemoClientSecret, Timeout: time.Minute,
	}
}

// watchMemory returns a function that ends the watch and returns the most memory
// that the process had from the system.
func watchMemory() func() uint64 {
	var most uint64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			most = max(most, resident())
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	return func() uint64 {
		close(stop)
		wg.Wait()
		return max(most, resident())
	}
}

// resident returns the bytes that the Go runtime has from the system and has not
// given back: what the resident size of the process follows.
func resident() uint64 {
	return read("/memory/classes/total:bytes") - read("/memory/classes/heap/released:bytes")
}

// inHeap returns the bytes of objects in the heap. After a collection these are
// the ones in use.
func inHeap() uint64 { return read("/memory/classes/heap/objects:bytes") }

func read(name string) uint64 {
	s := []metrics.Sample{{Name: name}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
