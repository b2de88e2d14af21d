"""What a report cites: in the text by author and year, in the list whole."""

# key → (in the text, in the list)
REFERENCES = {
    "amabile": (
        "Amabile, 1982",
        "Amabile, T. M. (1982). Social psychology of creativity: A consensual assessment "
        "technique. Journal of Personality and Social Psychology, 43(5), 997–1013. "
        "https://doi.org/10.1037/0022-3514.43.5.997",
    ),
    "barr": (
        "Barr et al., 2013",
        "Barr, D. J., Levy, R., Scheepers, C., & Tily, H. J. (2013). Random effects structure for "
        "confirmatory hypothesis testing: Keep it maximal. Journal of Memory and Language, 68(3), "
        "255–278. https://doi.org/10.1016/j.jml.2012.11.001",
    ),
    "benjamini": (
        "Benjamini & Hochberg, 1995",
        "Benjamini, Y., & Hochberg, Y. (1995). Controlling the false discovery rate: A practical "
        "and powerful approach to multiple testing. Journal of the Royal Statistical Society: "
        "Series B, 57(1), 289–300. https://doi.org/10.1111/j.2517-6161.1995.tb02031.x",
    ),
    "berk": (
        "Berk & Jones, 1979",
        "Berk, R. H., & Jones, D. H. (1979). Goodness-of-fit test statistics that dominate the "
        "Kolmogorov statistics. Zeitschrift für Wahrscheinlichkeitstheorie und Verwandte Gebiete, "
        "47, 47–59. https://doi.org/10.1007/BF00533250",
    ),
    "cintas": (
        "Cintas et al., 2022",
        "Cintas, C., Das, P., Quanz, B., Tadesse, G. A., Speakman, S., & Chen, P.-Y. (2022). "
        "Towards creativity characterization of generative models via group-based subset "
        "scanning. Proceedings of IJCAI 2022. https://arxiv.org/abs/2203.00523",
    ),
    "cliff": (
        "Cliff, 1996",
        "Cliff, N. (1996). Ordinal methods for behavioral data analysis. Erlbaum.",
    ),
    "das": (
        "Das et al., 2020",
        "Das, P., Quanz, B., Chen, P.-Y., Ahn, J., & Shah, D. (2020). Toward a neuro-inspired "
        "creative decoder. Proceedings of IJCAI 2020. https://arxiv.org/abs/1902.02399",
    ),
    "donoho": (
        "Donoho & Jin, 2004",
        "Donoho, D., & Jin, J. (2004). Higher criticism for detecting sparse heterogeneous "
        "mixtures. Annals of Statistics, 32(3), 962–994. "
        "https://doi.org/10.1214/009053604000000265",
    ),
    "efron": (
        "Efron, 1987",
        "Efron, B. (1987). Better bootstrap confidence intervals. Journal of the American "
        "Statistical Association, 82(397), 171–185. "
        "https://doi.org/10.1080/01621459.1987.10478410",
    ),
    "elff": (
        "Elff et al., 2021",
        "Elff, M., Heisig, J. P., Schaeffer, M., & Shikano, S. (2021). Multilevel analysis with "
        "few clusters: Improving likelihood-based methods to provide unbiased estimates and "
        "accurate inference. British Journal of Political Science, 51(1), 412–426. "
        "https://doi.org/10.1017/S0007123419000097",
    ),
    "gwet": (
        "Gwet, 2008",
        "Gwet, K. L. (2008). Computing inter-rater reliability and its variance in the presence "
        "of high agreement. British Journal of Mathematical and Statistical Psychology, 61(1), "
        "29–48. https://doi.org/10.1348/000711006X126600",
    ),
    "holm": (
        "Holm, 1979",
        "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian "
        "Journal of Statistics, 6(2), 65–70.",
    ),
    "judd": (
        "Judd et al., 2012",
        "Judd, C. M., Westfall, J., & Kenny, D. A. (2012). Treating stimuli as a random factor in "
        "social psychology. Journal of Personality and Social Psychology, 103(1), 54–69. "
        "https://doi.org/10.1037/a0028347",
    ),
    "koo": (
        "Koo & Li, 2016",
        "Koo, T. K., & Li, M. Y. (2016). A guideline of selecting and reporting intraclass "
        "correlation coefficients for reliability research. Journal of Chiropractic Medicine, "
        "15(2), 155–163. https://doi.org/10.1016/j.jcm.2016.02.012",
    ),
    "krippendorff": (
        "Krippendorff, 2019",
        "Krippendorff, K. (2019). Content analysis: An introduction to its methodology "
        "(4th ed.). SAGE.",
    ),
    "li": (
        "Li & Redden, 2015",
        "Li, P., & Redden, D. T. (2015). Comparing denominator degrees of freedom approximations "
        "for the generalized linear mixed model in analyzing binary outcome in small sample "
        "cluster-randomized trials. BMC Medical Research Methodology, 15, 38. "
        "https://doi.org/10.1186/s12874-015-0026-x",
    ),
    "liddell": (
        "Liddell & Kruschke, 2018",
        "Liddell, T. M., & Kruschke, J. K. (2018). Analyzing ordinal data with metric models: "
        "What could possibly go wrong? Journal of Experimental Social Psychology, 79, 328–348. "
        "https://doi.org/10.1016/j.jesp.2018.08.009",
    ),
    "mcfowland": (
        "McFowland et al., 2013",
        "McFowland, E., III, Speakman, S., & Neill, D. B. (2013). Fast generalized subset scan "
        "for anomalous pattern detection. Journal of Machine Learning Research, 14, 1533–1561.",
    ),
    "phipson": (
        "Phipson & Smyth, 2010",
        "Phipson, B., & Smyth, G. K. (2010). Permutation p-values should never be zero. "
        "Statistical Applications in Genetics and Molecular Biology, 9(1), Article 39. "
        "https://doi.org/10.2202/1544-6115.1585",
    ),
    "rao": (
        "Rao & Kupper, 1967",
        "Rao, P. V., & Kupper, L. L. (1967). Ties in paired-comparison experiments. Journal of "
        "the American Statistical Association, 62(317), 194–204. "
        "https://doi.org/10.1080/01621459.1967.10482901",
    ),
    "satterthwaite": (
        "Satterthwaite, 1946",
        "Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance "
        "components. Biometrics Bulletin, 2(6), 110–114. https://doi.org/10.2307/3002019",
    ),
    "steegen": (
        "Steegen et al., 2016",
        "Steegen, S., Tuerlinckx, F., Gelman, A., & Vanpaemel, W. (2016). Increasing transparency "
        "through a multiverse analysis. Perspectives on Psychological Science, 11(5), 702–712. "
        "https://doi.org/10.1177/1745691616658637",
    ),
    "ten_hove": (
        "ten Hove et al., 2022",
        "ten Hove, D., Jorgensen, T. D., & van der Ark, L. A. (2022). Updated guidelines on "
        "selecting an intraclass correlation coefficient for interrater reliability. "
        "Psychological Methods. https://doi.org/10.1037/met0000516",
    ),
}


class Citations:
    """Collects what is cited, so that the list holds that and nothing else."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def __call__(self, *keys: str) -> str:
        """``cite("holm", "das")`` is “Das et al., 2020; Holm, 1979”, for inside brackets."""
        self._used.update(keys)
        return "; ".join(sorted((REFERENCES[key][0] for key in keys), key=str.casefold))

    def listed(self) -> list[str]:
        """The references used, by author."""
        return sorted((REFERENCES[key][1] for key in self._used), key=str.casefold)
