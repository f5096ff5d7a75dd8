#include <stddef.h>

typedef struct {
	/* in */
	int pixels;   /* the output is a square of this side */
	int optional; /* left out of a picture that has fewer pixels on a side */
	int plain;    /* PNG if anything is transparent, otherwise JPEG; WebP without it */
	/* out */
	void *data; /* to be released with g_free; NULL if left out */
	size_t length;
	int alpha; /* something is transparent */
} avatar_output;

enum {
	AVATAR_OK = 0,
	AVATAR_UNREADABLE = 1, /* the picture's fault */
	AVATAR_TOO_MANY_PIXELS = 2,
	AVATAR_FAILED = 3, /* ours, or the machine's */
};

/* avatar_configure sets libvips up for the whole process, once it is initialised. */
void avatar_configure(void);

/* avatar_meaning is what the picture's numbers are said to be, outside of an embedded profile. */
typedef struct {
	const void *profile; /* in place of an embedded one, unless the length is 0 */
	size_t length;
	int plain; /* sRGB, whatever is embedded */
} avatar_meaning;

/* avatar_render renders the picture in buf as n squares. When it does not return AVATAR_OK, it leaves a
 * diagnosis in *message, to be released with g_free, and width and height are those of the picture if known.
 * It keeps no pointer to buf or meaning. */
int avatar_render(void *buf, size_t length, int max_side, int max_pixels, int quality,
	const avatar_meaning *meaning, avatar_output *outputs, int n, int *width, int *height, char **message);
