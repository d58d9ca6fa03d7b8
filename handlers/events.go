package handlers

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// eventTime is how long a client may take for an event.
const eventTime = 20 * time.Second

// events is an answer that goes on for as long as the page that asked for it is open.
type events struct {
	w       io.Writer
	control *http.ResponseController
}

// newEvents begins such an answer. What packs answers sends the first bytes when they
// are worth it, so the first event must not be a small one.
func newEvents(w http.ResponseWriter) events {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events until it has many
	return events{w, http.NewResponseController(w)}
}

// oneBreak makes one line break of each kind that ends a line of a stream.
var oneBreak = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// send sends an event, within a time of its own.
func (e events) send(name, data string) error {
	var b strings.Builder
	b.WriteString("event: " + name + "\n")
	for line := range strings.SplitSeq(oneBreak.Replace(data), "\n") {
		b.WriteString("data: " + line + "\n")
	}
	b.WriteString("\n")
	return e.write(b.String())
}

// beat keeps the connection open and tells both who stands between and the page that it
// is: a script does not see comments.
func (e events) beat() error { return e.write(": still here\nevent: beat\ndata: 1\n\n") }

func (e events) write(text string) error {
	deadline := e.control.SetWriteDeadline(time.Now().Add(eventTime))
	_, err := io.WriteString(e.w, text)
	return errors.Join(deadline, err, e.control.Flush())
}
