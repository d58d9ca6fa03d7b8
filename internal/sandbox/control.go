package sandbox

import (
	"encoding/json"
	"errors"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"

	"waveadmin/internal/wave"
)

// controlPath is the switchboard for scripts outside the process. It is no part
// of the Wave API, serves loopback clients only, and does not count in the
// journal:
//
//	GET  /_sandbox/journal?op=meta&after=SEQ   the entries, oldest first
//	POST /_sandbox/faults                      switches a Fault on; see faultIn
//	POST /_sandbox/state                       changes the state; see stateIn
//
// A POST takes one JSON object as application/json, which no form of a web page
// can send, and answers {"status":"success"} or 400 with {"error"}.
const controlPath = "/_sandbox/"

// faultIn is Fault for a POST. Clear cancels all faults first; alone, it does
// only that.
type faultIn struct {
	Clear  bool        `json:"clear"`
	Op     string      `json:"op"`
	UserID wave.UserID `json:"user_id"`
	Nth    int         `json:"nth"`
	Times  int         `json:"times"`
	When   When        `json:"when"`
	Delay  string      `json:"delay"` // such as "200ms"
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
	Cut    int         `json:"cut"`
	Reset  bool        `json:"reset"`
	Hang   bool        `json:"hang"`
}

// stateIn names one act with what it needs.
type stateIn struct {
	Do     string          `json:"do"` // set_flag, remove_account, replace_record, add_record, revoke_tokens, expire_tokens or reset_journal
	UserID wave.UserID     `json:"user_id"`
	Key    wave.Key        `json:"key"`
	Value  json.RawMessage `json:"value"`  // of set_flag; left out, the flag goes
	Record string          `json:"record"` // of replace_record and add_record: the text to list
}

func (s *Sandbox) control(w http.ResponseWriter, r *http.Request) {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err != nil || !net.ParseIP(host).IsLoopback() {
		http.Error(w, "loopback only", http.StatusForbidden)
		return
	}
	var err error
	switch r.Method + " " + r.URL.Path {
	case "GET " + controlPath + "journal":
		s.writeJournal(w, r)
		return
	case "POST " + controlPath + "faults":
		err = s.controlFault(r)
	case "POST " + controlPath + "state":
		err = s.controlState(r)
	default:
		http.NotFound(w, r)
		return
	}
	if err != nil {
		write(w, jsonAnswer(http.StatusBadRequest, map[string]string{"error": err.Error()}))
		return
	}
	write(w, success())
}

func (s *Sandbox) writeJournal(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.Atoi(r.FormValue("after")) // 0 for none: from the start
	op := r.FormValue("op")
	out := []Entry{}
	for _, e := range s.Journal() {
		if e.Seq > after && (op == "" || op == e.Op) {
			out = append(out, e)
		}
	}
	write(w, jsonAnswer(http.StatusOK, out))
}

func (s *Sandbox) controlFault(r *http.Request) error {
	var in faultIn
	if err := decodeControl(r, &in); err != nil {
		return err
	}
	f := Fault{
		Op: in.Op, UserID: in.UserID, Nth: in.Nth, Times: in.Times, When: in.When,
		Status: in.Status, Header: in.Header, Body: in.Body, Cut: in.Cut, Reset: in.Reset, Hang: in.Hang,
	}
	switch f.When {
	case "", Before, After:
	default:
		return errors.New("when must be before or after")
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 999) {
		return errors.New("status must be from 200 to 999")
	}
	if in.Delay != "" {
		var err error
		if f.Delay, err = time.ParseDuration(in.Delay); err != nil {
			return err
		}
	}
	if in.Clear {
		s.ClearFaults()
	}
	if f.Status != 0 || f.Body != "" || f.Header != nil || f.Delay != 0 || f.breaks() {
		s.Fail(f)
	} else if !in.Clear {
		return errors.New("the fault does nothing")
	}
	return nil
}

func (s *Sandbox) controlState(r *http.Request) error {
	var in stateIn
	if err := decodeControl(r, &in); err != nil {
		return err
	}
	found := true
	switch in.Do {
	case "set_flag":
		return s.SetFlag(in.UserID, in.Key, string(in.Value))
	case "remove_account":
		found = s.RemoveAccount(in.UserID)
	case "replace_record":
		found = s.ReplaceRecord(in.UserID, in.Record)
	case "add_record":
		s.AddRecord(in.Record)
	case "revoke_tokens":
		s.RevokeTokens()
	case "expire_tokens":
		s.ExpireTokens()
	case "reset_journal":
		s.ResetJournal()
	default:
		return errors.New("do names no act")
	}
	if !found {
		return errors.New("no such account")
	}
	return nil
}

func decodeControl(r *http.Request, into any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return errors.New("the content type must be application/json")
	}
	dec := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
