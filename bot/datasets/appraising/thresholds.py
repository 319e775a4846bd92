"""Where a flaw begins: every number `appraisal` and `twins` judge by, with what gave it.

Figures are of `python -m benchmarks.appraisal`, which says how well they separate.
"""

# Size, by area, because trainers sort pictures by area: the smallest size they train at is 512 by 512 (fal offers 512,
# 768 and 1024, Replicate takes all three), and AI Toolkit, on which they build, never enlarges a picture.
SMALL_PIXELS = 512 * 512
TOO_SMALL_PIXELS = SMALL_PIXELS // 2  # an enlargement would invent more than half of the picture
ADVISED_PIXELS = 768 * 768  # fills two of the three sizes; Black Forest Labs advise 1024 and more
MOST_MAY_BE_SMALLER = 0.5  # of the pictures, before it is mentioned

# Long side over short side.
WIDE = 7 / 3  # 21:9, the widest that FLUX.1 pro accepts
TOO_WIDE = 4.0  # the last of AI Toolkit's common shapes, 2048 by 512: beyond it pictures are cropped

# Steepness of edges, 0.25 without fine detail. Clean photographs 0.36-0.88, drawings 0.45-0.71; blurred by 1 px
# 0.29-0.42, by 2 px 0.22-0.30, by 3 px 0.18-0.28. No blur: only the middle in focus 0.30-0.85, noisy 0.46-0.91, JPEG at
# quality 10 0.36-0.80, twice enlarged 0.29-0.81.
SOFT = 0.315
BLURRED = 0.28
# The same across the direction in which a camera moved: clean 0.35 and more, moved by 9 px 0.21-0.35, by 15 px
# 0.17-0.34. Water and fields have few steep edges in one direction too, so this is never grave.
SMEARED = 0.285

# Luminance of the brightest 2 %. Clean photographs 0.47-0.98, with night and stars among them; -2 stops 0.24-0.53,
# -3 stops 0.17-0.38, -4 stops 0.11-0.27.
DARK = 0.4
TOO_DARK = 0.28

# Plain white, and luminance of the darkest 2 %. Clean photographs have at most 0.02 of plain white. +3 stops 0.02-0.95;
# a thing on a white ground has as much, but something dark in it. That leaves what has both light and deep shadow
# unnoticed: of photographs at +3 stops 9 of 16 are found.
BRIGHT_CLIPPED = 0.4
BRIGHT_SHADOWS = 0.1
TOO_BRIGHT_CLIPPED = 0.5
TOO_BRIGHT_SHADOWS = 0.35

# Standard deviation of luminance. Clean photographs 0.05-0.32, the least is the moon's ground; one tone 0.
FLAT = 0.035
TOO_FLAT = 0.015

# Fields that look like print. Photographs and drawings at most 0.01; a screenshot with a photograph in it 0.19-0.33,
# conversations 0.30-0.32, pages 0.67-0.76.
TEXT = 0.06
MOSTLY_TEXT = 0.25

# Bars' share of the picture. Photographs and drawings 0; letterbox of 12 % found on 14 of 16, not on two that are black
# at the rim.
BARS = 0.02
WIDE_BARS = 0.2  # what 4:3 loses in 16:9, or a film in either

# Bits of 64 that differ. The same picture smaller, darker, warmer or in grey 0-6, as JPEG at quality 10 or brighter
# 0-12, cropped by 5 % mostly 4-10; different photographs 20 and more, drawings of one kind 14 and more.
SURELY_TWINS_BITS = 6
TWINS_BITS = 10
NEARLY_TWINS_BITS = 12
TWINS_COLOURS = 12.0  # mean difference of 255, when the bits alone do not decide; different photographs: median 54
# Half of all pairs differ by no more: one view, a little moved, 8-24; different photographs and drawings 28-32.
ALIKE_BITS = 24
ALIKE_PICTURES = 4  # below, too few pairs to speak of variety

# Shares of the pictures; judgement, no measurement.
MANY_FLAWED = 0.25
MOSTLY_FLAWED = 0.5
MANY_DOUBTFUL = 0.25
