package sandbox

import "testing"

func TestJournal_keepsTheLatest(t *testing.T) {
	var s Sandbox
	j := &s.journal
	j.begin(call{op: OpToken})
	s.ResetJournal() // the ring does not start at 0
	first := j.begin(call{op: OpMeta, body: make([]byte, 2*journalBody)})
	if got := len(s.Journal()[0].Body); got != journalBody {
		t.Errorf("body kept = %d bytes, want %d", got, journalBody)
	}
	for range journalSize - 1 {
		j.finish(j.begin(call{op: OpList, body: []byte("x")}), 200, false, false)
	}
	j.finish(first, 201, true, true)
	if e := s.Journal()[0]; e.Op != OpMeta || e.Status != 201 || e.Body != nil || e.Header != nil {
		t.Errorf("oldest = %+v, want the first without its body", e)
	}

	j.begin(call{op: OpDelete})
	j.finish(first, 500, false, false) // overwritten: no harm

	got := s.Journal()
	if len(got) != journalSize {
		t.Fatalf("entries = %d, want %d", len(got), journalSize)
	}
	for i, e := range got {
		if e.Seq != i+3 || e.Status == 500 {
			t.Fatalf("entry %d = %+v", i, e)
		}
		if kept := e.Body != nil; i < journalSize-1 && kept != (i >= journalSize-journalBodies) {
			t.Fatalf("entry %d: body kept = %t", i, kept)
		}
	}
	if got := s.Count(OpMeta) + s.Count(OpList) + s.Count(OpDelete); got != journalSize+1 {
		t.Errorf("counted = %d, want also what fell out", got)
	}
}
