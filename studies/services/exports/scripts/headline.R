# The headline figures again, from this export's files alone: Rscript analysis/headline.R
#
# How the images' mean answers go with subset size and with score: Spearman's rho and Kendall's
# tau-b over the images, with asymptotic p-values. Counted are answers of one kind of raters, in
# trials of the role "main", by participants who are not excluded. Needs no packages.
#
# --raters KIND  person, pilot or simulated; otherwise people, if any rated
# --clmm         also cumulative link mixed models of Likert answers, with raters and images as
#                crossed effects, if the package "ordinal" is there. Log odds ratio per SD of the
#                predictor over the images; Wald p. With 40,000 ratings this takes minutes.

arguments <- commandArgs(trailingOnly = FALSE)
script <- sub("^--file=", "", grep("^--file=", arguments, value = TRUE))
data_folder <- file.path(dirname(normalizePath(script)), "..", "data")
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

answers <- read_table("responses")
stimuli <- read_table("stimuli")
stimuli <- stimuli[stimuli$role == "rating", ]
answers <- answers[answers$role == "main" & answers$excluded == "false", ]
kind <- known_kinds[known_kinds %in% answers$rater_kind][1]
if (is.na(kind)) stop("No such ratings are in this export.")
nobody <- if (kind == "simulated") " No person gave these ratings." else ""
say("Raters: ", kind, ".", nobody)
answers <- answers[answers$rater_kind == kind, ]

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

image_means <- function(mine) {
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

fit_clmm <- function(mine, predictor) {
  frame <- data.frame(rating = factor(as.numeric(mine$number), ordered = TRUE),
                      rater = factor(mine$subject_id), image = factor(mine$stimulus_id))
  of_image <- as.numeric(predictor[match(levels(frame$image), stimuli$stimulus_id)])
  frame$z <- ((of_image - mean(of_image)) / sd(of_image))[as.integer(frame$image)]
  model <- ordinal::clmm(rating ~ z + (1 | rater) + (1 | image), data = frame)
  summary(model)$coefficients["z", c("Estimate", "Pr(>|z|)")]
}

result <- NULL
add <- function(question, predictor, method, found, n) {
  row <- data.frame(question = question, predictor = predictor, method = method,
                    estimate = found[1], p = found[2], n_images = n)
  result <<- rbind(result, row)
}
with_clmm <- "--clmm" %in% options_given
if (with_clmm && !requireNamespace("ordinal", quietly = TRUE)) {
  say("The package \"ordinal\" is not installed: no mixed models.")
  with_clmm <- FALSE
}

for (question in unique(answers$question)) {
  mine <- answers[answers$question == question, ]
  question_kind <- mine$question_kind[1]
  if (question_kind %in% c("text", "forced_choice")) {
    why <- if (question_kind == "text") "has no number" else "needs a model of paired comparisons"
    say(question, ": left out, ", question_kind, " ", why)
    next
  }
  means <- image_means(mine)
  for (predictor in c("size", "score")) {
    x <- as.numeric(stimuli[[predictor]][match(names(means), stimuli$stimulus_id)])
    there <- !is.na(x)
    for (method in c("spearman", "kendall")) {
      found <- association(x[there], as.numeric(means)[there], method)
      add(question, predictor, method, found, sum(there))
    }
    if (with_clmm && question_kind == "likert") {
      rated <- mine[!is.na(mine$number) & mine$stimulus_id %in% names(means)[there], ]
      found <- tryCatch(fit_clmm(rated, stimuli[[predictor]]), error = function(problem) {
        say(question, ", ", predictor, ": no mixed model, ", conditionMessage(problem))
        c(NA, NA)
      })
      add(question, predictor, "clmm", found, sum(there))
    }
  }
}
if (!is.null(result)) {
  result$estimate <- format(result$estimate, digits = 15)
  result$p <- format(result$p, digits = 15)
  write.table(result, sep = "\t", quote = FALSE, row.names = FALSE)
}
