// Package cutdisk is a disk in memory that remembers every operation, for tests of what a power cut leaves.
//
// A [Disk] is what programs see: everything that was done, at once. [Cuts] goes through its operations and makes the
// disks that could be found after a cut: whatever was synced is there, of the rest any part. Contents of a file last
// when the file is synced, its name when the directory is; neither helps the other.
package cutdisk

// Kind is the kind of an operation.
type Kind int

// The operations.
const (
	Mkdir    Kind = iota // Name is the directory
	Create               // Name is a new name for the file
	Rename               // from Name to To
	Remove               // of Name
	Write                // of Data at Off
	Truncate             // to Off
	Sync                 // of the contents of a file
	SyncDir              // of the names in directory Name
	Missed               // a sync of File, or of directory Name if it has one, that was left out
	Scar                 // of Data at Off, by the medium: it lasts at once
	Note                 // nothing; a place that the test remembers
)

// Op is one operation. Files are known by numbers, so that they keep their identity under other names.
type Op struct {
	Kind Kind
	File int
	Name string
	To   string
	Off  int64
	Data []byte
}

// dir reports whether the operation is on names, and in which directory.
func (o *Op) dir() (string, bool) {
	switch o.Kind {
	case Mkdir, Create, Rename, Remove:
		return dirOf(o.Name), true
	default:
		return "", false
	}
}

func (o *Op) onContents() bool { return o.Kind == Write || o.Kind == Truncate }
