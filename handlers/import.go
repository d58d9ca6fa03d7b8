package handlers

import (
	"context"
	"errors"
	"io"
	"iter"
	"mime"
	"net/http"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/sheet"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// PlanMaker is the part of bulk.Runs that makes plans.
type PlanMaker interface {
	KeepProblems(ctx context.Context, l *bulk.FileProblems) (string, error)
	Problems(ctx context.Context, id string) (int, iter.Seq2[fault.Text, error], error)
	Make(ctx context.Context, author auth.Actor, d bulk.Draft) (*bulk.Plan, error)
}

// Import serves the issuing of accounts from a file.
type Import struct {
	Directory Directory
	Groups    Groups
	Presets   Book
	Plans     PlanMaker
	Exports   ExportRecorder
}

// New answers GET /resellers/import.
func (h *Import) New(w http.ResponseWriter, r *http.Request) error {
	return views.Render(w, r, http.StatusOK, views.ImportPage(h.page(r.Context())))
}

// Template answers GET /resellers/import.csv: the file to fill in, with functions=1 one
// that has a column for each function.
func (h *Import) Template(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "accounts-to-issue.csv"}))
	w.Header().Set("Cache-Control", "no-store")
	// A reader who left is no error of ours.
	_ = sheet.WriteTemplate(w, sheetNames(r.Context()), i18n.Lang(r.Context()), r.URL.Query().Get("functions") == "1")
	return nil
}

// Create answers POST /resellers/import, a multipart form with a file: it stores the
// plan of the rows that can be issued, and leads to its preview. A file of which none
// can be is answered with why, and nothing is stored.
func (h *Import) Create(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	file, err := uploaded(r)
	if err != nil {
		return h.refused(w, r, err, bulk.Draft{})
	}
	s, err := sheet.Read(file, sheetNames(ctx))
	if err != nil {
		return h.refused(w, r, unread(err), bulk.Draft{})
	}
	draft, err := h.draft(ctx, s)
	if err != nil {
		return h.refused(w, r, err, bulk.Draft{})
	}
	if len(draft.Items) == 0 {
		return h.refused(w, r, &fault.Error{Kind: fault.Invalid, Say: fault.Say("import.none_valid")}, draft)
	}
	plan, err := h.Plans.Make(ctx, auth.ActorFrom(ctx), draft)
	if err != nil {
		return h.refused(w, r, err, bulk.Draft{})
	}
	hx.Redirect(w, r, views.BulkURL(plan.ID))
	return nil
}

// uploaded returns the field file of a multipart form, which is read as it arrives. It
// fails with fault.Invalid when there is none, with fault.TooLarge when it comes too
// late, and with fault.Conflict as parseForm does.
func uploaded(r *http.Request) (io.Reader, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, fault.New(fault.Invalid, err)
	}
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return nil, fault.Field("file", "import.no_file")
		}
		if err != nil {
			return nil, unread(err)
		}
		switch part.FormName() {
		case views.AsField: // stands before the file
			given, err := io.ReadAll(io.LimitReader(part, maxText))
			if err != nil {
				return nil, unread(err)
			}
			if err := sentBy(r.Context(), string(given)); err != nil {
				return nil, err
			}
		case "file":
			if part.FileName() == "" { // as browsers send a field without a choice
				return nil, fault.Field("file", "import.no_file")
			}
			return part, nil
		}
	}
}

// unread is the fault of a body that could not be read to its end; one of ours stays as
// it is.
func unread(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if _, ok := asTooLarge(err); ok {
		return &fault.Error{Kind: fault.TooLarge, Say: fault.Say("import.too_large", "max", sheet.MaxBytes>>20)}
	}
	return fault.New(fault.Invalid, err)
}

// refused answers with the form and what is wrong, the problems of rows if these are why.
// Under htmx the file stays chosen if nothing is wrong with it: it could not be checked.
func (h *Import) refused(w http.ResponseWriter, r *http.Request, err error, draft bulk.Draft) error {
	ctx := r.Context()
	p := h.page(ctx)
	if draft.FileProblems != "" {
		p.ProblemsURL = views.ProblemsURL(draft.FileProblems)
	}
	for _, t := range draft.Problems {
		p.Problems = append(p.Problems, sentence(ctx, t))
	}
	if invalid, ok := errors.AsType[*fault.Error](err); ok {
		p.Errors = fieldErrors(ctx, invalid)
	}
	return &FormError{Err: err, Form: func(failure *views.FailureProps) templ.Component {
		if len(p.Errors)+len(p.Problems) == 0 { // they say it
			p.Failure = failure
		}
		kept := hx.WantsFragment(r) && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge)
		switch {
		case fault.Is(err, fault.Conflict): // the page is someone else's
		case kept:
			failure.Next = i18n.T(ctx, "import.file_kept")
		default:
			failure.Next = i18n.T(ctx, "import.choose_again")
		}
		switch {
		case kept:
			hx.Retarget(w, "#import-form > [data-form-error]")
			return views.ImportFailure(failure)
		case hx.WantsFragment(r):
			return views.ImportForm(p)
		}
		return views.ImportPage(p)
	}}
}

// page is the form, with what a file may say.
func (h *Import) page(ctx context.Context) views.ImportProps {
	p := views.ImportProps{MaxRows: i18n.Number(sheet.MaxRows), Max: sheet.MaxBytes >> 20}
	write := i18n.T(ctx, "import.write_preset")
	if first := h.Presets.Book().ForNew(); first.ID != preset.Defaults {
		write = i18n.T(ctx, "import.write_preset_new", "name", first.Name)
	}
	names, lang := sheetNames(ctx), i18n.Lang(ctx)
	p.Columns = []views.ImportColumn{
		{Key: sheet.Email, Name: names.Email.In(lang), Write: i18n.T(ctx, "import.write_email")},
		{Key: sheet.CompanyID, Name: names.CompanyID.In(lang), Write: i18n.T(ctx, "import.write_company")},
		{Key: sheet.Notification, Name: names.Notification.In(lang), Write: i18n.T(ctx, "import.write_notification")},
		{Key: sheet.Preset, Name: names.Preset.In(lang), Write: write},
		{Key: string(wave.Flags[0].Key) + " …", Name: i18n.T(ctx, "import.col_functions"), Write: i18n.T(ctx, "import.write_functions")},
	}
	return p
}

// sheetNames are what the columns of a file are called.
func sheetNames(ctx context.Context) sheet.Names {
	name := func(key string) wave.Text {
		return wave.Text{EN: i18n.T(i18n.WithLang(ctx, "en"), key), JA: i18n.T(i18n.WithLang(ctx, "ja"), key)}
	}
	return sheet.Names{
		Email: name("col.email"), CompanyID: name("col.company"), Notification: name("import.col_notification"), Preset: name("col.preset"),
	}
}
