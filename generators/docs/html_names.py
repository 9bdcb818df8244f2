"""Names that documentation generators give to the parts of a page: chrome, content, notes, code.

From Sphinx, MkDocs, Docusaurus, Javadoc, Doxygen, rustdoc, GitBook, VitePress, Asciidoctor, Starlight and GitHub.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Elements that hold no text of the page.
DROPPED_TAGS = _words("""
    script style template noscript nav iframe object embed applet svg canvas video audio map head title meta link
    button input select option optgroup textarea datalist dialog
""")
DROPPED_ROLES = _words("""
    navigation banner contentinfo search complementary menu menubar toolbar dialog alertdialog
""")
DROPPED_CLASSES = _words("""
    headerlink hash-link anchorjs-link anchor-link breadcrumb breadcrumbs theme-doc-breadcrumbs wy-breadcrumbs toc
    tocsidebar table-of-contents toctree-wrapper localtoc page-toc on-this-page theme-doc-toc-mobile md-sidebar
    sphinxsidebar bd-sidebar wy-nav-side sidebar-nav navbar nav-bar navigation topnav bottomnav subnav skipnav skip-
    link skip-nav skip-to-content skip-to-main pagination pagination-nav prev-next-area prev-next-footer prev-next-
    bottom rst-footer-buttons edit-this-page theme-edit-this-page edit-link edit-page-link edit-on-github md-
    content__button md-footer md-header site-header site-footer page-footer page-header-nav footer cookie-banner
    cookie-consent cookie-notice cookies cookieconsent cookie-bar gdpr gdpr-banner consent-banner copybtn copy-btn
    copy-button copy-code-button clipboard-button zeroclipboard btn-copy related searchbox search-box
    javascript_no_javascript viewcode-link viewcode-back doc-footer
    top-nav sub-nav sub-nav-list ttc rightside out-of-band hideme
""")
DROPPED_IDS = _words("""
    toc tableofcontents table-of-contents sidebar side-nav nav-tree nav-path navrow1 navbar navbar-top navbar-bottom
    footer header-nav breadcrumbs cookie-banner cookie-consent cookie-notice cookieconsent onetrust-consent-sdk
    skip-link search searchbox MSearchBox menu
""")
# Small links beside a title or signature that are no part of it.
LINK_CLASSES = _words("""
    src srclink source-link el_source external-link-icon permalink direct-link
""")
LINK_SIGNS = _words("¶ # § 🔗 ⚓ ◆ † [source] [src] [edit]")
# Notes and warnings, which are kept whole.
ADMONITIONS = _words("""
    admonition alert callout theme-admonition markdown-alert custom-block starlight-aside admonitionblock doc-note
    doc-warning note-box warning-box info-box
""")
ADMONITION_KINDS = _words("""
    note warning tip hint important caution danger attention error seealso info
""")
# The element that holds the content, from the most to the least specific class.
CONTENT_CLASSES = {
    "theme-doc-markdown": 0,
    "md-content__inner": 1,
    "md-content": 1,
    "bd-article": 2,
    "vp-doc": 2,
    "markdown-section": 2,
    "markdown-body": 2,
}
# Names that others use too: believed only if they hold most of the page.
LIKELY_IDS = _words("content main-content main bodyColumn")
LIKELY_CLASSES = _words("content contents main post body")
# Elements that end the paragraph before them.
BLOCK_TAGS = _words("""
    p div section article main header footer aside address figure figcaption form fieldset legend center details
    table thead tbody tfoot tr caption hgroup label body html hr dl dt dd li blockquote
""")
# Kinds of documented names in the definition lists of Sphinx.
OBJECT_CLASSES = _words("""
    function method class attribute data exception describe cmdoption option envvar opcode macro type var
    staticmethod classmethod property decorator module field http
""")
