package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// msdResult is what "msd ls" prints as JSON.
type msdResult struct {
	Online   bool          `json:"online"`
	Busy     bool          `json:"busy"`
	Drive    *driveResult  `json:"drive"` // null while the storage is away
	Images   []imageResult `json:"images"`
	Free     int64         `json:"free"` // bytes
	Size     int64         `json:"size"` // bytes
	Transfer *transfer     `json:"transfer"`
}

type driveResult struct {
	Connected bool   `json:"connected"`
	Image     string `json:"image"`
	CDROM     bool   `json:"cdrom"`
	Writable  bool   `json:"writable"`
}

type imageResult struct {
	Name     string `json:"name"`
	Size     int64  `json:"size"` // bytes
	Complete bool   `json:"complete"`
}

// transfer is an upload or a download that is under way.
type transfer struct {
	Name      string `json:"name"`
	Direction string `json:"direction"` // "up" or "down"
	Done      int64  `json:"done"`      // bytes
	Size      int64  `json:"size"`      // bytes
}

func (a *app) msd() *cobra.Command {
	list := func(ctx context.Context, _ []string) error { return a.each(ctx, printMSD) }
	group := a.command(&cobra.Command{
		Use:   "msd",
		Short: "Keep disk images on the device and show one to the host",
		Long: `Msd moves disk images to the device and back, and shows one of them to the host as a USB drive. Without a command it
is "msd ls".`,
		Example: `  pikvmctl msd upload debian.iso
  pikvmctl msd mount debian.iso --cdrom
  pikvmctl msd eject`,
		Args: cobra.NoArgs,
	}, list)
	return a.group(group,
		a.command(&cobra.Command{Use: "ls", Short: "List the images and the drive", Args: cobra.NoArgs}, list),
		a.msdUpload(), a.msdFetch(), a.msdDownload(), a.msdMount(), a.msdEject(), a.msdRemove(), a.msdClean(),
		a.msdWatch(), a.msdReset(),
	)
}

func printMSD(ctx context.Context, t *target) error {
	state, err := t.kvm.MSD.State(ctx)
	if err != nil {
		return err
	}
	result := newMSDResult(state)
	return t.out.show(result, result.text)
}

func newMSDResult(state *pikvm.MSDState) *msdResult {
	r := &msdResult{Online: state.Online, Busy: state.Busy, Images: []imageResult{}}
	if d := state.Drive; d != nil {
		r.Drive = &driveResult{Connected: d.Connected, CDROM: d.CDROM, Writable: d.Writable}
		if d.Image != nil {
			r.Drive.Image = d.Image.Name
		}
	}
	s := state.Storage
	if s == nil {
		return r
	}
	for _, name := range slices.Sorted(maps.Keys(s.Images)) {
		if image := s.Images[name]; !image.Ghost() {
			r.Images = append(r.Images, imageResult{name, image.Size, image.Complete})
		}
	}
	r.Free, r.Size = s.Parts[""].Free, s.Parts[""].Size
	if up := s.Uploading; up != nil {
		r.Transfer = &transfer{up.Name, "up", up.Done, up.Size}
	} else if down := s.Downloading; down != nil {
		r.Transfer = &transfer{down.Name, "down", down.Done, down.Size}
	}
	return r
}

func (r *msdResult) text(w io.Writer) {
	if !r.Online || r.Drive == nil {
		fmt.Fprintln(w, "the storage is away")
		return
	}
	for _, image := range r.Images {
		note := ""
		if !image.Complete {
			note = "incomplete"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", image.Name, size(image.Size), note)
	}
	fmt.Fprintf(w, "free\t%s\tof %s\n", size(r.Free), size(r.Size))
	fmt.Fprintf(w, "drive\t%s\t%s\n", cmp.Or(r.Drive.Image, "empty"), r.Drive.how())
	if r.Transfer != nil {
		fmt.Fprintf(w, "%sload\t%s\t%s of %s\n", r.Transfer.Direction, r.Transfer.Name, size(r.Transfer.Done), size(r.Transfer.Size))
	}
}

// how says how the host sees the drive.
func (d *driveResult) how() string {
	switch {
	case !d.Connected:
		return "not connected"
	case d.CDROM:
		return "CD-ROM"
	case d.Writable:
		return "flash drive, writable"
	}
	return "flash drive"
}
