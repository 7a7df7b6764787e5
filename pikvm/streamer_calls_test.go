package pikvm_test

import (
	"context"
	"image"
	"strings"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

func takeSnapshot(o *pikvm.SnapshotOptions) restCall {
	return func(ctx context.Context, c *pikvm.Client) error {
		_, err := c.Streamer.Snapshot(ctx, o)
		return err
	}
}

func readScreen(o *pikvm.OCROptions) restCall {
	return func(ctx context.Context, c *pikvm.Client) error {
		_, err := c.Streamer.Recognize(ctx, o)
		return err
	}
}

func setVideo(p *pikvm.StreamerParams) restCall {
	return func(ctx context.Context, c *pikvm.Client) error { return c.Streamer.SetParams(ctx, p) }
}

// streamerCalls are the methods that make the recorded requests.
func streamerCalls() map[string]restCall {
	quality, fps, bitrate, gop, short := 50, 10, 2000, 10, 5
	size, tiny := "640x480", "1x1"
	state := func(ctx context.Context, c *pikvm.Client) error { _, err := c.Streamer.State(ctx); return err }
	remove := func(ctx context.Context, c *pikvm.Client) error { return c.Streamer.DeleteSnapshot(ctx) }
	const snapshot = "GET /api/streamer/snapshot"
	return map[string]restCall{
		"streamer_stopped": state, "streamer_resolution": state, "GET /api/streamer": state,
		"streamer_ocr":     func(ctx context.Context, c *pikvm.Client) error { _, err := c.Streamer.OCR(ctx); return err },
		"snapshot_stopped": takeSnapshot(nil), snapshot: takeSnapshot(nil),
		"snapshot_load_none": takeSnapshot(&pikvm.SnapshotOptions{Load: true}), snapshot + "?load=1": takeSnapshot(&pikvm.SnapshotOptions{Load: true}),
		snapshot + "?save=1":                          takeSnapshot(&pikvm.SnapshotOptions{Save: true}),
		snapshot + "?allow_offline=1":                 takeSnapshot(&pikvm.SnapshotOptions{AllowOffline: true}),
		snapshot + "?preview=1&preview_max_width=160": takeSnapshot(&pikvm.SnapshotOptions{Preview: &pikvm.PreviewOptions{MaxWidth: 160}}),
		snapshot + "?ocr=1":                           readScreen(nil),
		snapshot + "?ocr=1&ocr_langs=rus":             readScreen(&pikvm.OCROptions{Languages: []string{"rus"}}),
		snapshot + "?ocr=1&ocr_left=0&ocr_top=0&ocr_right=640&ocr_bottom=200": readScreen(
			&pikvm.OCROptions{Region: image.Rect(0, 0, 640, 200)}),
		"snapshot_delete": remove, "DELETE /api/streamer/snapshot": remove,
		"streamer_set_params_none":        setVideo(nil),
		"streamer_set_params_resolution":  setVideo(&pikvm.StreamerParams{Resolution: &size}),
		"streamer_set_resolution":         setVideo(&pikvm.StreamerParams{Resolution: &size}),
		"streamer_set_resolution_unavail": setVideo(&pikvm.StreamerParams{Resolution: &tiny}),
		"streamer_noquality":              setVideo(&pikvm.StreamerParams{Quality: &quality}),
		"streamer_noh264":                 setVideo(&pikvm.StreamerParams{H264GOP: &short}),
		"POST /api/streamer/set_params?quality=50&desired_fps=10&h264_bitrate=2000&h264_gop=10": setVideo(
			&pikvm.StreamerParams{Quality: &quality, DesiredFPS: &fps, H264Bitrate: &bitrate, H264GOP: &gop}),
		"POST /api/streamer/reset": func(ctx context.Context, c *pikvm.Client) error { return c.Streamer.Reset(ctx) },
	}
}

// streamerBounds are arguments just inside and just outside of what the device takes.
func streamerBounds() []bound {
	number := func(field string, low, high int, set func(*pikvm.StreamerParams, *int)) []bound {
		call := func(n int) restCall {
			var p pikvm.StreamerParams
			set(&p, &n)
			return setVideo(&p)
		}
		return []bound{
			{field + " least", "", call(low)},
			{field + " most", "", call(high)},
			{field + " under", field, call(low - 1)},
			{field + " over", field, call(high + 1)},
		}
	}
	size := func(s string) restCall { return setVideo(&pikvm.StreamerParams{Resolution: &s}) }
	preview := func(p pikvm.PreviewOptions) restCall { return takeSnapshot(&pikvm.SnapshotOptions{Preview: &p}) }
	region := func(x0, y0, x1, y1 int) restCall {
		return readScreen(&pikvm.OCROptions{Region: image.Rectangle{Min: image.Pt(x0, y0), Max: image.Pt(x1, y1)}})
	}
	langs := func(l ...string) restCall { return readScreen(&pikvm.OCROptions{Languages: l}) }
	frames := func(o *pikvm.MJPEGOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			for _, err := range c.Streamer.Frames(ctx, o) {
				return err
			}
			return nil
		}
	}
	all := []bound{
		{"resolution", "", size("1920x1080")},
		{"resolution of one side", "Resolution", size("1920")},
		{"resolution of nothing", "Resolution", size("")},
		{"resolution zero", "Resolution", size("0x480")},
		{"resolution upper case", "Resolution", size("640X480")},
		{"resolution of three", "Resolution", size("1x1x1")},
		{"load and save", "Load", takeSnapshot(&pikvm.SnapshotOptions{Load: true, Save: true})},
		{"load and offline", "Load", readScreen(&pikvm.OCROptions{Load: true, AllowOffline: true})},
		{"save and offline", "", takeSnapshot(&pikvm.SnapshotOptions{Save: true, AllowOffline: true})},
		{"preview", "", preview(pikvm.PreviewOptions{})},
		{"preview most", "", preview(pikvm.PreviewOptions{MaxWidth: 65535, MaxHeight: 65535, Quality: 100})},
		{"preview width", "MaxWidth", preview(pikvm.PreviewOptions{MaxWidth: 65536})},
		{"preview height", "MaxHeight", preview(pikvm.PreviewOptions{MaxHeight: -1})},
		{"preview quality 1", "", preview(pikvm.PreviewOptions{Quality: 1})},
		{"preview quality 101", "Quality", preview(pikvm.PreviewOptions{Quality: 101})},
		{"preview quality negative", "Quality", preview(pikvm.PreviewOptions{Quality: -1})},
		{"region of a pixel", "", region(0, 0, 1, 1)},
		{"region of no pixel", "Region", region(5, 5, 5, 6)},
		{"region reversed", "Region", region(5, 5, 1, 1)},
		{"region left of the screen", "Region", region(-1, 0, 1, 1)},
		{"region far", "Region", region(0, 0, 65536, 1)},
		{"languages", "", langs("eng", "deu")},
		{"languages in one", "Languages", langs("eng,deu")},
		{"language empty", "Languages", langs("")},
		{"languages of 4096 characters", "", langs(strings.Repeat("a", 4092), "deu")},
		{"languages of 4097 characters", "Languages", langs(strings.Repeat("a", 4093), "deu")},
		{"viewer", "", frames(&pikvm.MJPEGOptions{Key: strings.Repeat("a", 36)})},
		{"viewer of 37", "Key", frames(&pikvm.MJPEGOptions{Key: strings.Repeat("a", 37)})},
		{"viewer with a blank", "Key", frames(&pikvm.MJPEGOptions{Key: "a b"})},
		{"frame limit", "MaxFrame", frames(&pikvm.MJPEGOptions{MaxFrame: -1})},
	}
	for _, part := range [][]bound{
		number("Quality", 1, 100, func(p *pikvm.StreamerParams, n *int) { p.Quality = n }),
		number("DesiredFPS", 0, 120, func(p *pikvm.StreamerParams, n *int) { p.DesiredFPS = n }),
		number("H264Bitrate", 25, 20000, func(p *pikvm.StreamerParams, n *int) { p.H264Bitrate = n }),
		number("H264GOP", 0, 60, func(p *pikvm.StreamerParams, n *int) { p.H264GOP = n }),
	} {
		all = append(all, part...)
	}
	return all
}
