#include "render.h"

#include <vips/vips.h>

/* ignore_warning drops what libvips would print about every oddity of every upload. */
static void
ignore_warning(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
}

void
avatar_configure(void)
{
	g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING, ignore_warning, NULL);

	/* One thread for each picture: the Renderer decides how many pictures there are at a time. */
	vips_concurrency_set(1);

	/* Of all the loaders that libvips was built with, only these may see an upload. */
	vips_block_untrusted_set(TRUE);
	vips_operation_block_set("VipsForeignLoad", TRUE);
	vips_operation_block_set("VipsForeignLoadJpeg", FALSE);
	vips_operation_block_set("VipsForeignLoadPng", FALSE);
	vips_operation_block_set("VipsForeignLoadWebp", FALSE);
	vips_operation_block_set("VipsForeignLoadNsgif", FALSE);
}

/* open_header reads what libvips itself takes the dimensions to be, which is what its memory depends on. */
static int
open_header(void *buf, size_t length, int *width, int *height)
{
	VipsImage *header = vips_image_new_from_buffer(buf, length, "", NULL);
	if (!header)
		return -1;
	*width = vips_image_get_width(header);
	*height = vips_image_get_height(header);
	g_object_unref(header);
	return 0;
}

/* to_srgb converts with the embedded profile. A broken profile is common enough, and no reason to refuse a
 * picture: then the numbers are taken as they are. */
static int
to_srgb(VipsImage *in, VipsImage **out)
{
	if (vips_image_get_typeof(in, VIPS_META_ICC_NAME) &&
		!vips_icc_transform(in, out, "srgb", "embedded", TRUE,
			"intent", VIPS_INTENT_RELATIVE, NULL))
		return 0;
	vips_error_clear();
	return vips_colourspace(in, out, VIPS_INTERPRETATION_sRGB, NULL);
}

static void
forget_metadata(VipsImage *image)
{
	char **fields = vips_image_get_fields(image);
	for (int i = 0; fields[i]; i++)
		vips_image_remove(image, fields[i]); /* the size and the like stay: they are no metadata to libvips */
	g_strfreev(fields);
}

/* has_holes reports whether an alpha channel hides anything, which that of most screenshots does not. */
static int
has_holes(VipsObject *scope, VipsImage *in, gboolean *holes)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(scope, 1);
	double lowest = 255;

	if (vips_image_hasalpha(in) &&
		(vips_extract_band(in, &t[0], in->Bands - 1, NULL) ||
			vips_min(t[0], &lowest, NULL)))
		return -1;
	*holes = lowest < 255;
	return 0;
}

/* render_base decodes the picture once: upright, cropped to a square that is never larger than the picture,
 * 8-bit sRGB, without metadata, in memory. The thumbnailer's own fail_on would not do: libvips 8.14 forgets it for
 * buffers. */
static int
render_base(VipsObject *scope, void *buf, size_t length, int side, VipsImage **base)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(scope, 5);
	gboolean holes;
	int bands;

	if (vips_thumbnail_buffer(buf, length, &t[0], side,
			"height", side,
			"crop", VIPS_INTERESTING_ATTENTION,
			"option_string", "[fail_on=error]",
			NULL) ||
		to_srgb(t[0], &t[1]) ||
		vips_cast(t[1], &t[2], VIPS_FORMAT_UCHAR, NULL) ||
		!(t[3] = vips_image_copy_memory(t[2])) ||
		has_holes(scope, t[3], &holes))
		return -1;
	bands = t[3]->Bands;
	if (!holes && vips_image_hasalpha(t[3]))
		bands--;
	/* A resolution would be the camera's. */
	if (vips_extract_band(t[3], &t[4], 0, "n", bands, NULL) ||
		vips_copy(t[4], base, "xres", 1.0, "yres", 1.0, NULL))
		return -1;
	if (vips_image_get_width(*base) != side || vips_image_get_height(*base) != side) {
		vips_error("avatar", "the thumbnail is %d x %d, not %d",
			vips_image_get_width(*base), vips_image_get_height(*base), side);
		return -1;
	}
	forget_metadata(*base);
	return 0;
}

static int
save(VipsObject *scope, VipsImage *base, int quality, avatar_output *output)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(scope, 1);

	if (vips_thumbnail_image(base, &t[0], output->pixels,
			"height", output->pixels,
			"size", VIPS_SIZE_FORCE, NULL))
		return -1;
	output->alpha = vips_image_hasalpha(t[0]);
	if (!output->plain)
		return vips_webpsave_buffer(t[0], &output->data, &output->length,
			"Q", quality, "strip", TRUE, NULL);
	if (output->alpha)
		return vips_pngsave_buffer(t[0], &output->data, &output->length, "strip", TRUE, NULL);
	return vips_jpegsave_buffer(t[0], &output->data, &output->length,
		"Q", quality, "optimize_coding", TRUE, "strip", TRUE, NULL);
}

static int
left_out(const avatar_output *output, int shorter)
{
	return output->optional && output->pixels > shorter;
}

int
avatar_render(void *buf, size_t length, int max_side, int max_pixels, int quality,
	avatar_output *outputs, int n, int *width, int *height, char **message)
{
	VipsImage *scope = vips_image_new(); /* whatever hangs on it is released with it */
	VipsImage *base = NULL;
	int status = AVATAR_OK;
	int side = 1;
	int shorter = 0;

	if (open_header(buf, length, width, height))
		status = AVATAR_UNREADABLE;
	else if (*width > max_side || *height > max_side ||
		(gint64) *width * *height > max_pixels)
		status = AVATAR_TOO_MANY_PIXELS;
	else {
		shorter = VIPS_MIN(*width, *height);
		for (int i = 0; i < n; i++)
			if (!left_out(&outputs[i], shorter))
				side = VIPS_MAX(side, outputs[i].pixels);
		side = VIPS_MIN(side, shorter);
		if (render_base(VIPS_OBJECT(scope), buf, length, side, &base))
			status = AVATAR_UNREADABLE;
	}
	for (int i = 0; status == AVATAR_OK && i < n; i++)
		if (!left_out(&outputs[i], shorter) &&
			save(VIPS_OBJECT(scope), base, quality, &outputs[i]))
			status = AVATAR_FAILED;

	if (status != AVATAR_OK) {
		*message = vips_error_buffer_copy();
		for (int i = 0; i < n; i++)
			g_free(outputs[i].data);
	}
	VIPS_UNREF(base);
	g_object_unref(scope);
	vips_error_clear();
	vips_thread_shutdown();
	return status;
}
