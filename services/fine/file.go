package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// File is a file that a person added to their appeal (decision 39).
type File struct {
	ID      string
	Kind    FileKind
	Size    int // bytes, as it is kept
	AddedAt time.Time
}

// Name is what a file is called where it is given: of what its sender called it nothing is kept.
func (f File) Name() string { return f.ID + "." + string(f.Kind) }

// The context that seals a file's content, with its id behind it, and the purpose of the index
// by which the same file is known.
const (
	fileContent = "fine.appeal.file:"
	fileSame    = "fine.appeal.file.same"
)

// filesSent is how many files a person sends, also those that are refused: each is looked into.
var filesSent = limit.Rule{
	Name: "fine:files", What: "files of appeals sent", Who: "a person", Rate: limit.Rate{N: 60, Per: 24 * time.Hour},
	Refusal: "problem.fine_files_sent", In: limit.InLimiter,
}

var (
	errFilesSent = problem.New(problem.TooMany, "problem.fine_files_sent", "n", filesSent.N)
	errNoFile    = problem.New(problem.NotFound, "problem.fine_file")
)

// AddFile adds a file to an open appeal of the proven citizen c.Subject. The same file again gives
// the first. Problems: fine_proof, fine_files_sent (too many a day), fine_file_large,
// fine_file_kind, fine_file_broken, fine_appeal (they have no such appeal), fine_appeal_over (it is
// not open), fine_files (it has as many as it takes).
func (s *Service) AddFile(ctx context.Context, c caller.Caller, typed string, content []byte) (File, error) {
	if c.Subject == "" {
		return File{}, errProof
	}
	if err := Assurance.Admit(c, "appeal.file"); err != nil {
		return File{}, err
	}
	used, wait, err := limit.Within(ctx, s.Limiter, limit.Bound{Key: filesSent.Name + ":" + c.Subject, Rate: filesSent.Rate})
	if err != nil {
		return File{}, fmt.Errorf("count the files that are sent: %w", err)
	}
	if used != nil {
		return File{}, errFilesSent.Until(c.Now, wait)
	}
	kind, kept, err := inspect(content, c.Now)
	if err != nil {
		return File{}, err
	}
	var row db.FineAppealFile
	err = s.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		row, err = s.addFile(ctx, tx, c, typed, kind, kept)
		return err
	})
	return fileOf(row), err
}

// addFile keeps a file, where the appeal, which is held, has room for it.
func (s *Service) addFile(ctx context.Context, tx *store.Tx, c caller.Caller, typed string, kind FileKind, content []byte) (row db.FineAppealFile, err error) {
	if held, err := s.Identity.HoldProof(ctx, tx, c); err != nil || !held {
		return row, errors.Join(err, unproven(held))
	}
	q := db.New(tx)
	appeal, err := appealRow(ctx, q, typed)
	if err == nil && appeal.CitizenID != c.Subject {
		err = errNoAppeal
	}
	if err != nil {
		return row, err
	}
	if appeal, err = q.HoldAppeal(ctx, appeal.ID); err != nil {
		return row, fmt.Errorf("hold an appeal: %w", err)
	}
	if !AppealState(appeal.State).Open() {
		return row, errAppealOver
	}
	files, err := q.AppealFiles(ctx, appeal.ID)
	if err != nil {
		return row, fmt.Errorf("list the files of an appeal: %w", err)
	}
	same := s.Sealer.Index(fileSame, string(content))
	for _, f := range files {
		if f.SameIndex == same {
			return f, nil
		}
	}
	if most := policy.Value("appeal.files", c.Now); len(files) >= most {
		return row, problem.New(problem.Conflict, "problem.fine_files", "n", most)
	}
	return s.keepFile(ctx, tx, c, appeal, kind, same, content)
}

// keepFile keeps a file of an appeal that has room for it.
func (s *Service) keepFile(
	ctx context.Context, tx *store.Tx, c caller.Caller, appeal db.FineAppeal, kind FileKind, same string, content []byte,
) (row db.FineAppealFile, err error) {
	id, err := uuid.NewV7FromReader(s.Random)
	if err != nil {
		return row, fmt.Errorf("make a file's id: %w", err)
	}
	row = db.FineAppealFile{
		ID: id.String(), AppealID: appeal.ID, Kind: string(kind), Size: int64(len(content)), SameIndex: same, AddedAt: dbtime.From(c.Now),
	}
	sealed, err := s.Sealer.Seal(content, fileContent+row.ID)
	if err != nil {
		return row, fmt.Errorf("seal a file: %w", err)
	}
	q := db.New(tx)
	if err := q.AddAppealFile(ctx, db.AddAppealFileParams(row)); err != nil {
		return row, fmt.Errorf("keep a file: %w", err)
	}
	if err := q.AddAppealFileContent(ctx, db.AddAppealFileContentParams{FileID: row.ID, ContentSealed: sealed}); err != nil {
		return row, fmt.Errorf("keep a file's content: %w", err)
	}
	return row, s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: c.Now, Actor: c.Subject, Action: "fine.appeal_file", Object: row.ID, Subject: appeal.CitizenID, Purpose: Name,
			Decided: []*audit.Group{fileGroup(row)}, Was: []*audit.Group{audit.None(groupFile)},
		},
		Event: analytics.Of(c, Name, "fine.appeal_file", "done"),
	})
}

// groupFile is what the audit log says of a file: of its content a keyed hash, which the content is
// held against where it is read.
const groupFile = "appeal_file"

func fileGroup(row db.FineAppealFile) *audit.Group {
	return audit.Decided(groupFile).Text(row.ID, row.AppealID, row.Kind, row.SameIndex).Number(row.Size).Moment(row.AddedAt)
}

func fileOf(row db.FineAppealFile) File {
	return File{ID: row.ID, Kind: FileKind(row.Kind), Size: int(row.Size), AddedAt: row.AddedAt.Time}
}

// filesOf lists the files of an appeal, the first one first.
func filesOf(ctx context.Context, q *db.Queries, appeal string) ([]File, error) {
	rows, err := q.AppealFiles(ctx, appeal)
	if err != nil {
		return nil, fmt.Errorf("list the files of an appeal: %w", err)
	}
	list := make([]File, 0, len(rows))
	for _, row := range rows {
		list = append(list, fileOf(row))
	}
	return list, nil
}

// FileOf gives a file of an appeal of the proven citizen c.Subject. Problems: fine_proof,
// fine_appeal (they have no such appeal), fine_file (it has no such file).
func (s *Service) FileOf(ctx context.Context, c caller.Caller, typed, id string) (File, []byte, error) {
	if c.Subject == "" {
		return File{}, nil, errProof
	}
	if err := Assurance.Admit(c, "appeals"); err != nil {
		return File{}, nil, err
	}
	q := db.New(s.DB.Reader())
	appeal, err := appealRow(ctx, q, typed)
	if err == nil && appeal.CitizenID != c.Subject {
		err = errNoAppeal
	}
	if err != nil {
		return File{}, nil, err
	}
	return s.openFile(ctx, q, appeal, id)
}

// FileCase gives a file of an appeal to an officer: the person is told that it was looked at, and
// why. Problems: fine_appeal, fine_file.
func (s *Service) FileCase(ctx context.Context, act staff.Act, typed, id string) (file File, content []byte, err error) {
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		appeal, err := appealRow(ctx, q, typed)
		if err != nil {
			return err
		}
		if file, content, err = s.openFile(ctx, q, appeal, id); err != nil {
			return err
		}
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: s.Now(), Actor: act.Actor, Action: "fine.appeal_file_read", Object: file.ID, Subject: appeal.CitizenID, Purpose: act.Reason,
		}})
	})
	return file, content, err
}

// errFileChanged is of a content that is not the one that was added.
var errFileChanged = errors.New("the content of a file is not what was added")

// openFile opens a file of an appeal.
func (s *Service) openFile(ctx context.Context, q *db.Queries, appeal db.FineAppeal, id string) (File, []byte, error) {
	row, err := q.AppealFile(ctx, db.AppealFileParams{ID: id, AppealID: appeal.ID})
	if errors.Is(err, sql.ErrNoRows) {
		return File{}, nil, errNoFile
	}
	if err != nil {
		return File{}, nil, fmt.Errorf("find a file of an appeal: %w", err)
	}
	sealed, err := q.AppealFileContent(ctx, row.ID)
	if err != nil {
		return File{}, nil, fmt.Errorf("read the file %s: %w", row.ID, err)
	}
	content, err := s.Sealer.Open(sealed, fileContent+row.ID)
	if err == nil && s.Sealer.Index(fileSame, string(content)) != row.SameIndex {
		err = errFileChanged
	}
	if err != nil {
		return File{}, nil, fmt.Errorf("open the file %s: %w", row.ID, err)
	}
	return fileOf(row), content, nil
}

// eraseFiles deletes the files of an appeal; e says when, by whom and why.
func (s *Service) eraseFiles(ctx context.Context, tx *store.Tx, appeal db.FineAppeal, e audit.Entry) error {
	q := db.New(tx)
	rows, err := q.AppealFiles(ctx, appeal.ID)
	if err != nil {
		return fmt.Errorf("list the files of an appeal: %w", err)
	}
	for _, row := range rows {
		if err := errors.Join(q.DeleteAppealFileContent(ctx, row.ID), q.DeleteAppealFile(ctx, row.ID)); err != nil {
			return fmt.Errorf("erase a file: %w", err)
		}
		e.Action, e.Object, e.Subject = "fine.appeal_file_erase", row.ID, appeal.CitizenID
		if err := s.Trail.Leave(ctx, tx, trail.Step{Audit: e}); err != nil {
			return err
		}
	}
	return nil
}

// runFiles names each file that is not what the log says, and each that is gone while its appeal is
// kept. What is in it is held against its row where it is read.
func (c *Check) runFiles(ctx context.Context, tx *sql.Tx) error {
	err := store.Rows(ctx, tx, "SELECT id, appeal_id, kind, size, same_index, added_at FROM fine_appeal_files ORDER BY id", nil,
		func(rows *sql.Rows) error {
			var row db.FineAppealFile
			err := rows.Scan(&row.ID, &row.AppealID, &row.Kind, &row.Size, &row.SameIndex, &row.AddedAt)
			if err == nil {
				c.files.Fits(row.ID, fileGroup(row))
			}
			return err
		})
	c.files.Gone()
	return err
}
