package sandbox

import (
	"bufio"
	"maps"
	"math"
	"net/http"
	"strconv"
)

// write sends a.
func write(w http.ResponseWriter, a answer) { writeFirst(w, a, math.MaxInt) }

// writeFirst sends at most n bytes of the body of a. The Content-Length is that
// of the whole, so a client can tell that it was cut.
func writeFirst(w http.ResponseWriter, a answer, n int) {
	size := 0
	for _, piece := range a.body {
		size += len(piece)
	}
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(a.status)
	left := min(n, size)
	// A list has a piece an account: without a buffer each would be a system call.
	buf := bufio.NewWriterSize(w, 64<<10)
	for _, piece := range a.body {
		piece = piece[:min(len(piece), left)]
		left -= len(piece)
		if _, err := buf.Write(piece); err != nil {
			return // the client left
		}
	}
	buf.Flush() // an error says that the client left
}
