package audit_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/audit"
	"waveadmin/internal/db/dbtest"
)

var mac = strings.Repeat("0123456789abcdef", 4)

func TestParseAnchors(t *testing.T) {
	want := []audit.Anchor{{Seq: 12, MAC: mac}}
	tests := []struct {
		name, text string
		want       []audit.Anchor
		err        string
	}{
		{"seq and mac", "12 " + mac + "\n", want, ""},
		{"without a newline, with spaces", "  12\t" + mac + " ", want, ""},
		{"what verify prints", "OK: 12 events. The last one, as an anchor:\n12 " + mac + "\n", want, ""},
		{"a line of the log", `{"time":"2026-11-22T00:00:00Z","level":"INFO","msg":"audit anchor","seq":12,"mac":"` + mac + `"}`, want, ""},
		{"as a collector passes it on", `Nov 22 00:00:00 host waveadmin[7]: {"level":"INFO","msg":"audit anchor","seq":12,"mac":"` + mac + `"}`, want, ""},
		{"as Docker keeps it", `{"log":"{\"level\":\"INFO\",\"msg\":\"audit anchor\",\"seq\":12,\"mac\":\"` + mac + `\"}\n","stream":"stderr"}`, want, ""},
		{"as journald does, in text", `{"MESSAGE":"level=INFO msg=\"audit anchor\" seq=12 mac=` + mac + `","_PID":"7"}`, want, ""},
		{"the text format", `time=2026-11-22T00:00:00Z level=INFO msg="audit anchor" seq=12 mac=` + mac, want, ""},
		{"among other lines", "{\"msg\":\"request\",\"seq\":1}\nnot a log\n\n12 " + mac + "\n{broken\n", want, ""},
		{"several", "12 " + mac + "\n13 " + mac, []audit.Anchor{{Seq: 12, MAC: mac}, {Seq: 13, MAC: mac}}, ""},
		{"someone's text with the words", `{"msg":"request failed","err":"\"audit anchor\"","x":"audit anchor"}` + "\n12 " + mac, want, ""},

		{"someone's text in the text format", `msg=request path="msg=\"audit anchor\" seq=1 mac=x"` + "\n12 " + mac, want, ""},

		{"nothing", "", nil, "no anchor"},
		{"no anchor", "{\"msg\":\"listening\"}\n", nil, "no anchor"},
		{"a short mac", "1 " + mac + "\n12 " + mac[:62], nil, "line 2: the anchor of event 12 has a MAC that is none"},
		{"a mac in capitals", "12 " + strings.ToUpper(mac), nil, "line 1: "},
		{"a cut line", `{"level":"INFO","msg":"audit anchor","seq":12,"mac":"01`, nil, "line 1: an anchor that is no JSON"},
		{"event 0", "0 " + mac, nil, `an anchor of event "0"`},
		{"an event that is none", `{"msg":"audit anchor","seq":1.5,"mac":"` + mac + `"}`, nil, `an anchor of event "1.5"`},
		{"an event too far", "99999999999999999999 " + mac, nil, "an anchor of event"},
		{"no mac in the text format", `msg="audit anchor" seq=12`, nil, "MAC that is none"},
		{"a line without end", strings.Repeat("x", 2<<20), nil, "line 1: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := audit.ParseAnchors(strings.NewReader(tt.text))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error = %v, want %q", err, tt.err)
			}
		})
	}
}

func TestRun_anchors(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		synctest.Test(t, func(t *testing.T) {
			j := newJournal(t, e)
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); j.Run(ctx) }()
			check := func(when string, want ...int64) {
				t.Helper()
				synctest.Wait()
				var got []int64
				if strings.Contains(j.out.String(), "audit anchor") {
					for _, a := range j.anchors(t) {
						got = append(got, a.Seq)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", when, diff)
				}
			}
			check("an empty log")
			j.fill(t, 3)
			time.Sleep(4 * time.Minute)
			check("too early")
			time.Sleep(time.Minute)
			check("after 5 minutes", 3)
			time.Sleep(time.Hour)
			check("nothing is new", 3)
			j.fill(t, 997)
			j.fill(t, 1)
			synctest.Wait()
			last := j.anchors(t)[1] // of event 1,000, or of the one that told of it
			if last.Seq < 1000 {
				t.Errorf("after 1,001 events the last anchor is of event %d", last.Seq)
			}
			check("1,000 events", 3, last.Seq)
			j.fill(t, 2)
			stop()
			<-done
			j.Anchor(t.Context())
			check("at the end", 3, last.Seq, 1003)
			if r := j.verify(t, [][]byte{secret}, j.anchors(t)...); !r.OK() {
				t.Error(r.Problems)
			}
		})
	})
}

// FuzzParseAnchors holds that what is read are anchors, and that each is read
// again from every form in which it is written.
func FuzzParseAnchors(f *testing.F) {
	f.Add("12 " + mac)
	f.Add(`x {"msg":"audit anchor","seq":12,"mac":"` + mac + `"}`)
	f.Add(`msg="audit anchor" seq=12 mac=` + mac)
	f.Add("{\"msg\":\"audit anchor\"\n\x00\xff")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := audit.ParseAnchors(strings.NewReader(text))
		if err != nil {
			if got != nil {
				t.Errorf("%v and an error", got)
			}
			return
		}
		var lines, logged bytes.Buffer
		log := slog.New(slog.NewTextHandler(&logged, nil))
		for _, a := range got {
			if a.Seq < 1 || len(a.MAC) != 64 {
				t.Errorf("an anchor %+v", a)
			}
			lines.WriteString(a.Line() + "\n")
			log.Info("audit anchor", "seq", a.Seq, "mac", a.MAC)
		}
		for form, out := range map[string]*bytes.Buffer{"lines": &lines, "text": &logged} {
			again, err := audit.ParseAnchors(out)
			if diff := cmp.Diff(got, again); diff != "" || err != nil {
				t.Errorf("%s: %v, -first +again:\n%s", form, err, diff)
			}
		}
	})
}
