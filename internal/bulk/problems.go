package bulk

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/google/uuid"

	"waveadmin/internal/db"
	"waveadmin/internal/fault"
)

// FileProblems is a list of what is wrong with the rows of a file, packed: there may be
// tens of thousands. The zero FileProblems is empty.
type FileProblems struct {
	packed bytes.Buffer
	pack   *gzip.Writer
	count  int
}

// Add puts a sentence at the end of the list. Its args come back as texts.
func (l *FileProblems) Add(say fault.Text) error {
	args := printed(say.Args)
	for n, a := range args {
		args[n] = storable(fmt.Sprint(a))
	}
	line, err := json.Marshal(fault.Text{Key: say.Key, Args: args})
	if err != nil {
		return fmt.Errorf("keep a problem of a file: %w", err)
	}
	if l.pack == nil {
		l.pack = gzip.NewWriter(&l.packed)
	}
	l.count++
	_, err = l.pack.Write(append(line, '\n'))
	return err
}

// KeepProblems stores a list, to which nothing is added afterwards, and returns its id; ""
// for an empty one. One that no plan names is forgotten after a day.
func (p *Plans) KeepProblems(ctx context.Context, l *FileProblems) (string, error) {
	if l.count == 0 {
		return "", nil
	}
	if err := l.pack.Close(); err != nil {
		return "", fmt.Errorf("keep the problems of a file: %w", err)
	}
	id, err := uuid.NewRandom() // it is all that one needs to know to read it
	if err != nil {
		return "", fmt.Errorf("id of the problems of a file: %w", err)
	}
	err = p.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO file_problems (id, made_at, count, list) VALUES ($1, $2, $3, $4)",
			id.String(), db.Micros(p.now()), l.count, l.packed.Bytes())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("keep the problems of a file: %w", err)
	}
	return id.String(), nil
}

// Problems returns how many sentences a list has, and yields them in order; after an
// error nothing comes. It fails with fault.NotFound.
func (p *Plans) Problems(ctx context.Context, id string) (int, iter.Seq2[fault.Text, error], error) {
	var count int
	var packed []byte
	err := p.db.Read().QueryRowContext(ctx, "SELECT count, list FROM file_problems WHERE id = $1", id).Scan(&count, &packed)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil, &fault.Error{Kind: fault.NotFound, Say: fault.Say("import.no_list"), Err: errors.New("list " + id)}
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read the problems of a file: %w", err)
	}
	return count, func(yield func(fault.Text, error) bool) {
		in, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			yield(fault.Text{}, err)
			return
		}
		for lines := json.NewDecoder(in); ; {
			var say fault.Text
			if err := lines.Decode(&say); err == io.EOF || !yield(say, err) || err != nil {
				return
			}
		}
	}, nil
}
