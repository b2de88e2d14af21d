# The headline again, from this export's files alone: Rscript analysis/headline.R
#
# First the planned test (headline_test.csv says which), then how the images' mean answers go with
# subset size and with score: Spearman's rho and Kendall's tau-b over the images, with asymptotic
# p-values. Of choices between two images the images' numbers are abilities of the model of Rao and
# Kupper (1967), of Bradley and Terry where there are no ties. Counted are answers of one kind of
# raters, in trials of the role "main", less those whom the plan leaves out: by a rule, and by
# researchers' decisions unless it says otherwise.
#
# Correlations need no packages. A planned mixed model, raters and images as crossed effects, needs
# "ordinal" (clmm) or "lme4" (lmm); with 40,000 ratings it takes minutes. Its estimate is per SD of
# the predictor over the images, with Wald's standard error and p. Small-sample intervals and
# permutation tests are in headline.py alone.
#
# --raters KIND  person, pilot or simulated; otherwise people, if any rated
# --images       the images' correlations alone

arguments <- commandArgs(trailingOnly = FALSE)
script <- sub("^--file=", "", grep("^--file=", arguments, value = TRUE))
here <- dirname(normalizePath(script))
data_folder <- file.path(here, "..", "data")
options_given <- commandArgs(trailingOnly = TRUE)
known_kinds <- c("person", "pilot", "simulated")
if ("--raters" %in% options_given) {
  known_kinds <- options_given[match("--raters", options_given) + 1]
}

say <- function(...) cat(..., "\n", sep = "", file = stderr())

# Every cell as text, empty cells missing.
read_table <- function(name) {
  path <- Sys.glob(file.path(data_folder, paste0("study-*_description-", name, "_data.csv")))
  read.csv(path, colClasses = "character", na.strings = "", check.names = FALSE,
           encoding = "UTF-8")
}

planned <- read.csv(file.path(here, "headline_test.csv"), colClasses = "character")
planned <- setNames(as.list(planned$value), planned$name)

answers <- read_table("responses")
stimuli <- read_table("stimuli")
stimuli <- stimuli[stimuli$role == "rating", ]
answers <- answers[answers$role == "main", ]
kind <- known_kinds[known_kinds %in% answers$rater_kind[answers$excluded == "false"]][1]
if (is.na(kind)) stop("No such ratings are in this export.")
nobody <- if (kind == "simulated") " No person gave these ratings." else ""
say("Raters: ", kind, ".", nobody)
answers <- answers[answers$rater_kind == kind, ]
if (planned$decisions == "true") answers <- answers[answers$excluded == "false", ]
answers <- answers[!(answers$subject_id %in% read_table("exclusions")$subject_id), ]

# A number for each image of each answer that compares images. Best-worst: 1 for the best, -1 for
# the worst, else 0. Ranking: k for the first, 1 for the last.
numbers_of_sets <- function(mine) {
  rows <- lapply(seq_len(nrow(mine)), function(i) {
    images <- strsplit(mine$stimuli[i], " ", fixed = TRUE)[[1]]
    places <- seq_along(images)
    value <- mine$value[i]
    if (mine$question_kind[i] == "best_worst") {
      best <- as.integer(sub('.*"best": *([0-9]+).*', "\\1", value))
      worst <- as.integer(sub('.*"worst": *([0-9]+).*', "\\1", value))
      number <- (places == best) - (places == worst)
    } else {
      order_given <- as.integer(strsplit(gsub("[^0-9,]", "", value), ",")[[1]])
      number <- length(images) + 1 - match(places, order_given)
    }
    data.frame(stimulus_id = images, number = number)
  })
  do.call(rbind, rows)
}

# By image the number of its set, in which each can be reached from each by wins.
linked <- function(from, to, n) {
  reached <- function(start, from, to) {
    seen <- seq_len(n) == start
    repeat {
      more <- seen
      more[to[seen[from]]] <- TRUE
      if (all(more == seen)) return(seen)
      seen <- more
    }
  }
  sets <- integer(n)
  while (any(sets == 0)) {
    start <- which(sets == 0)[1]
    sets[reached(start, from, to) & reached(start, to, from)] <- max(sets) + 1
  }
  sets
}

# The images' abilities in log odds, by maximum likelihood with Newton's method. With d = ability
# of the left image less that of the right and t >= 0 for ties, P(left) = F(d - t),
# P(right) = F(-d - t), and P(tie) is the rest, which is F(t + d) F(t - d) (1 - exp(-2 t)): a
# logistic regression in which a tie counts as two answers, and a term in t. There is a finite
# estimate only among images that are linked by wins in both directions; told are those of the
# largest such set.
abilities <- function(mine) {
  sides <- do.call(rbind, strsplit(mine$stimuli, " ", fixed = TRUE))
  names_of <- sort(unique(as.vector(sides)))
  left <- match(sides[, 1], names_of)
  right <- match(sides[, 2], names_of)
  choice <- mine$value
  n <- length(names_of)
  won <- choice != "right"
  lost <- choice != "left"
  sets <- linked(c(left[won], right[lost]), c(right[won], left[lost]), n)
  inside <- sets[left] == sets[right]
  left <- left[inside]
  right <- right[inside]
  choice <- choice[inside]
  n_ties <- sum(choice == "tie")
  if (n_ties == length(choice)) return(numeric(0))
  weights <- tabulate(sets[left], max(sets))
  main <- order(tabulate(sets), weights)[max(sets)]
  # A row per answer, a tie is two: sign of d, sign of t. The first image of each set is its origin.
  again <- which(choice == "tie")
  rows <- c(seq_along(choice), again)
  sign <- c(ifelse(choice == "right", -1, 1), rep(-1, n_ties))
  of_tie <- c(ifelse(choice == "tie", 1, -1), rep(1, n_ties))
  design <- matrix(0, length(rows), n + 1)
  design[cbind(seq_along(rows), left[rows])] <- sign
  design[cbind(seq_along(rows), right[rows])] <- -sign
  design[, n + 1] <- of_tie
  free <- setdiff(seq_len(n), match(unique(sets), sets))
  if (n_ties > 0) free <- c(free, n + 1)
  design <- design[, free, drop = FALSE]
  found <- numeric(length(free))
  last <- length(free)
  if (n_ties > 0) found[last] <- log((length(choice) + n_ties) / (length(choice) - n_ties))
  for (turn in 1:100) {
    share <- plogis(drop(design %*% found))
    slope <- drop(crossprod(design, 1 - share))
    bend <- crossprod(design, share * (1 - share) * design)
    if (n_ties > 0) {
      slope[last] <- slope[last] + 2 * n_ties / expm1(2 * found[last])
      bend[last, last] <- bend[last, last] + n_ties / sinh(found[last])^2
    }
    step <- solve(bend, slope)
    # Not too far at a time, nor to where no ties are possible.
    step <- step * min(1, 2 / max(abs(step), 1e-300))
    if (n_ties > 0) step <- step * min(1, 0.9 * found[last] / max(-step[last], 1e-300))
    found <- found + step
    if (max(abs(step)) < 1e-12) break
  }
  all_of <- numeric(n + 1)
  all_of[free] <- found
  told <- all_of[seq_len(n)][sets == main]
  # So that images whose abilities are the same are ties in ranks, whatever the rounding.
  setNames(round(told - mean(told), 9), names_of[sets == main])
}

image_means <- function(mine) {
  if (mine$question_kind[1] == "forced_choice") return(abilities(mine))
  if (mine$question_kind[1] %in% c("best_worst", "ranking")) mine <- numbers_of_sets(mine)
  mine$number <- as.numeric(mine$number)
  mine <- mine[!is.na(mine$number), ]
  tapply(mine$number, mine$stimulus_id, mean)
}

association <- function(x, y, method) {
  if (length(x) < 3 || length(unique(x)) < 2 || length(unique(y)) < 2) return(c(NA, NA))
  found <- cor.test(x, y, method = method, exact = FALSE)
  c(found$estimate, found$p.value)
}

# In standard deviations of the study's images themselves (over n).
standardised <- function(name) {
  x <- as.numeric(stimuli[[name]])
  there <- x[!is.na(x)]
  (x - mean(there)) / sqrt(mean((there - mean(there))^2))
}

# Estimate, standard error, p and number of images of the planned mixed model.
mixed_model <- function(mine) {
  package <- if (planned$model == "lmm") "lme4" else "ordinal"
  if (!requireNamespace(package, quietly = TRUE)) {
    stop("it needs the package \"", package, "\": install.packages(\"", package, "\")")
  }
  mine <- mine[!is.na(mine$number), ]
  names_of <- c(planned$predictor, strsplit(planned$covariates, " ", fixed = TRUE)[[1]])
  fixed <- paste0(names_of, "_z")
  frame <- data.frame(rating = as.numeric(mine$number), rater = factor(mine$subject_id),
                      image = factor(mine$stimulus_id))
  for (name in names_of) {
    z <- standardised(name)
    frame[[paste0(name, "_z")]] <- z[match(mine$stimulus_id, stimuli$stimulus_id)]
  }
  of_rater <- if (planned$rater_slopes == "true") paste("1 +", fixed[1]) else "1"
  terms <- paste(c(fixed, paste0("(", of_rater, " | rater)"), "(1 | image)"), collapse = " + ")
  formula <- as.formula(paste("rating ~", terms))
  if (planned$model == "lmm") {
    model <- lme4::lmer(formula, data = frame)
    found <- summary(model)$coefficients[fixed[1], c("Estimate", "Std. Error")]
    return(c(found, 2 * pnorm(-abs(found[1] / found[2])), nlevels(frame$image)))
  }
  frame$rating <- factor(frame$rating, ordered = TRUE)
  model <- ordinal::clmm(formula, data = frame, link = planned$link)
  found <- summary(model)$coefficients[fixed[1], c("Estimate", "Std. Error", "Pr(>|z|)")]
  c(found, nlevels(frame$image))
}

# The same of the planned rank correlation, which has no standard error.
planned_ranks <- function(mine) {
  means <- image_means(mine)
  x <- as.numeric(stimuli[[planned$predictor]])[match(names(means), stimuli$stimulus_id)]
  there <- !is.na(x)
  found <- association(x[there], as.numeric(means)[there], "spearman")
  c(found[1], NA, found[2], sum(there))
}

result <- NULL
add <- function(question, predictor, method, found, n) {
  row <- data.frame(question = question, predictor = predictor, method = method,
                    estimate = found[1], standard_error = found[2], p = found[3], n_images = n)
  result <<- rbind(result, row)
}

mine <- answers[answers$question %in% planned$question, ]
if (nrow(mine) > 0 && !("--images" %in% options_given)) {
  ranks <- !(planned$model %in% c("clmm", "lmm"))
  found <- tryCatch(if (ranks) planned_ranks(mine) else mixed_model(mine),
                    error = function(problem) {
    say("The planned ", planned$model, " is not computed: ", conditionMessage(problem))
    rep(NA, 4)
  })
  add(planned$question, planned$predictor, paste("planned", planned$model), found, found[4])
}

for (question in unique(answers$question)) {
  mine <- answers[answers$question == question, ]
  question_kind <- mine$question_kind[1]
  if (question_kind == "text") {
    say(question, ": left out, text has no number")
    next
  }
  means <- image_means(mine)
  for (predictor in c("size", "score")) {
    x <- as.numeric(stimuli[[predictor]][match(names(means), stimuli$stimulus_id)])
    there <- !is.na(x)
    for (method in c("spearman", "kendall")) {
      found <- association(x[there], as.numeric(means)[there], method)
      add(question, predictor, method, c(found[1], NA, found[2]), sum(there))
    }
  }
}
if (!is.null(result)) {
  for (name in c("estimate", "standard_error", "p")) {
    result[[name]] <- trimws(format(result[[name]], digits = 15))
  }
  write.table(result, sep = "\t", quote = FALSE, row.names = FALSE)
}
