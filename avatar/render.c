#include "render.h"

#include <string.h>

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
open_header(void *buf, size_t length, int *width, int *height, gboolean *inks)
{
	VipsImage *header = vips_image_new_from_buffer(buf, length, "", NULL);
	if (!header)
		return -1;
	*width = vips_image_get_width(header);
	*height = vips_image_get_height(header);
	*inks = vips_image_get_interpretation(header) == VIPS_INTERPRETATION_CMYK;
	g_object_unref(header);
	return 0;
}

/* apply_meaning replaces the embedded profile by what the header says otherwise. */
static int
apply_meaning(VipsImage *in, VipsImage **out, const avatar_meaning *meaning)
{
	if (vips_copy(in, out, NULL))
		return -1;
	if (meaning->plain || meaning->length > 0)
		vips_image_remove(*out, VIPS_META_ICC_NAME);
	if (meaning->length > 0)
		vips_image_set_blob_copy(*out, VIPS_META_ICC_NAME, meaning->profile, meaning->length);
	return 0;
}

/* has_profile_for reports whether the embedded profile is for pictures in a colour space, by its header. */
static gboolean
has_profile_for(VipsImage *in, const char *space)
{
	const void *profile;
	size_t length;

	return vips_image_get_typeof(in, VIPS_META_ICC_NAME) &&
		!vips_image_get_blob(in, VIPS_META_ICC_NAME, &profile, &length) &&
		length >= 20 && memcmp((const char *) profile + 16, space, 4) == 0;
}

/* intent_of is the intent of the profile's first table, in the order in which browsers look: libvips takes a profile
 * without a table for the intent that it is asked for as none. Without tables, all intents are one. */
static VipsIntent
intent_of(VipsImage *in)
{
	static const char *const tables[] = { "A2B0", "A2B1", "A2B2" }; /* perceptual, relative, saturation */
	const unsigned char *profile;
	size_t length;

	if (vips_image_get_blob(in, VIPS_META_ICC_NAME, (const void **) &profile, &length))
		return VIPS_INTENT_RELATIVE;
	for (int i = 0; i < VIPS_NUMBER(tables); i++)
		for (size_t tag = 132; tag + 12 <= length && (tag - 132) / 12 < profile[131]; tag += 12)
			if (memcmp(profile + tag, tables[i], 4) == 0)
				return (VipsIntent) i;
	return VIPS_INTENT_RELATIVE;
}

static int
by_profile(VipsImage *in, VipsImage **out)
{
	return vips_icc_transform(in, out, "srgb", "embedded", TRUE, "intent", intent_of(in), NULL);
}

/* inks_to_srgb does with CMYK what Chromium does: each ink takes its light away, and a profile is asked about the inks
 * that would give the same light without black. */
static int
inks_to_srgb(VipsObject *scope, VipsImage *in, VipsImage **out)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(scope, 8);

	if (vips_invert(in, &t[0], NULL) ||
		vips_extract_band(t[0], &t[1], 0, "n", 3, NULL) ||
		vips_extract_band(t[0], &t[2], 3, NULL) ||
		vips_multiply(t[1], t[2], &t[3], NULL) ||
		vips_linear1(t[3], &t[4], 1.0 / 255, 0.5, "uchar", TRUE, NULL))
		return -1;
	if (has_profile_for(in, "CMYK") &&
		!vips_invert(t[4], &t[5], NULL) &&
		!vips_bandjoin_const1(t[5], &t[6], 0, NULL) &&
		!vips_copy(t[6], &t[7], "interpretation", VIPS_INTERPRETATION_CMYK, NULL) &&
		!by_profile(t[7], out))
		return 0;
	vips_error_clear();
	return vips_copy(t[4], out, "interpretation", VIPS_INTERPRETATION_sRGB, NULL);
}

/* to_srgb converts with the embedded profile. A broken profile, or one for other pictures, is common enough, and no
 * reason to refuse a picture: then the numbers are taken as they are. */
static int
to_srgb(VipsObject *scope, VipsImage *in, VipsImage **out)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(scope, 1);
	gboolean grey = in->Bands < 3;

	if (has_profile_for(in, grey ? "GRAY" : "RGB ") && !by_profile(in, out))
		return 0;
	/* A grey is a colour of a profile for colours, too. */
	if (grey && has_profile_for(in, "RGB ") &&
		!vips_colourspace(in, &t[0], VIPS_INTERPRETATION_sRGB, NULL) &&
		!by_profile(t[0], out))
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

/* square_of_inks is the thumbnailer's work for CMYK, which it would itself convert in its own way. */
static int
square_of_inks(VipsObject *scope, void *buf, size_t length, int shorter, int side, VipsImage **out)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(scope, 3);
	int shrink = 1;

	while (shrink < 8 && shorter / (shrink * 2) >= side)
		shrink *= 2;
	return vips_jpegload_buffer(buf, length, &t[0],
			   "shrink", shrink,
			   "access", VIPS_ACCESS_SEQUENTIAL,
			   "fail_on", VIPS_FAIL_ON_ERROR,
			   NULL) ||
		inks_to_srgb(scope, t[0], &t[1]) ||
		vips_cast(t[1], &t[2], VIPS_FORMAT_UCHAR, NULL) ||
		vips_thumbnail_image(t[2], out, side,
			"height", side,
			"crop", VIPS_INTERESTING_ATTENTION,
			NULL);
}

/* render_base decodes the picture once: upright, cropped to a square that is never larger than the picture,
 * 8-bit sRGB, without metadata, in memory. The thumbnailer's own fail_on would not do: libvips 8.14 forgets it for
 * buffers. */
static int
render_base(VipsObject *scope, void *buf, size_t length, const avatar_meaning *meaning, gboolean inks, int shorter, int side,
	VipsImage **base)
{
	VipsImage **t = (VipsImage **) vips_object_local_array(scope, 6);
	gboolean holes;
	int bands;

	if ((inks
			? square_of_inks(scope, buf, length, shorter, side, &t[1])
			: vips_thumbnail_buffer(buf, length, &t[0], side,
					"height", side,
					"crop", VIPS_INTERESTING_ATTENTION,
					"option_string", "[fail_on=error]",
					NULL) ||
				apply_meaning(t[0], &t[4], meaning) ||
				to_srgb(scope, t[4], &t[1])) ||
		vips_cast(t[1], &t[2], VIPS_FORMAT_UCHAR, NULL) ||
		!(t[3] = vips_image_copy_memory(t[2])) ||
		has_holes(scope, t[3], &holes))
		return -1;
	bands = t[3]->Bands;
	if (!holes && vips_image_hasalpha(t[3]))
		bands--;
	/* A resolution would be the camera's. */
	if (vips_extract_band(t[3], &t[5], 0, "n", bands, NULL) ||
		vips_copy(t[5], base, "xres", 1.0, "yres", 1.0, NULL))
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
	const avatar_meaning *meaning, avatar_output *outputs, int n, int *width, int *height, char **message)
{
	VipsImage *scope = vips_image_new(); /* whatever hangs on it is released with it */
	VipsImage *base = NULL;
	int status = AVATAR_OK;
	int side = 1;
	int shorter = 0;
	gboolean inks = FALSE;

	if (open_header(buf, length, width, height, &inks))
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
		if (render_base(VIPS_OBJECT(scope), buf, length, meaning, inks, shorter, side, &base))
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
